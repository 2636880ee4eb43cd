use super::*;

fn head(path: &str, header: Option<(&str, &str)>) -> Parts {
    let request = header
        .into_iter()
        .fold(Request::builder().uri(path), |request, (name, value)| request.header(name, value));
    request.body(()).expect("a request").into_parts().0
}

#[test]
fn the_root_is_ours_and_so_is_what_can_be_nothing_else() {
    assert!(Rpc::is_for(&head("/", None)));
    assert!(Rpc::is_for(&head("/?Action=A", None)));
    assert!(Rpc::is_for(&head("/sas/", Some(("x-acs-action", "A")))));
    assert!(Rpc::is_for(&head("/sas?Action=A&SignatureNonce=1", None)));
    assert!(!Rpc::is_for(&head("/v1/devices?pageSize=1", Some(("authorization", "Bearer t")))));
}

#[test]
fn a_body_is_a_form_or_empty() {
    let read = |media_type: Option<&str>, body: &'static [u8]| {
        let head = head("/", media_type.map(|media_type| ("content-type", media_type)));
        form(&head.headers, body).map(<[u8]>::len).map_err(|refusal| refusal.code().to_owned())
    };
    assert_eq!(read(Some("application/octet-stream"), b""), Ok(0));
    assert_eq!(read(Some("Application/X-WWW-Form-Urlencoded; charset=UTF-8"), b"a=1"), Ok(3));
    assert_eq!(read(None, b"a=1"), Ok(3));
    assert_eq!(read(Some("application/json"), b"{}"), Err("InvalidParameter".to_owned()));
}

#[test]
fn formats_are_json_whatever_was_asked_for() {
    let check = |query: &str| {
        let parameters = Parameters::read(Some(query), b"").expect("good");
        check_format(&parameters).map_err(|refusal| refusal.code().to_owned())
    };
    for good in ["", "Format=", "Format=JSON", "Format=json", "Format=XML"] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    assert_eq!(check("Format=YAML"), Err("InvalidParameter.Format".to_owned()));
}

#[test]
fn ids_are_shown_in_capitals() {
    assert_eq!(shown(Uuid::from_u128(0xabc)), "00000000-0000-0000-0000-000000000ABC");
}
