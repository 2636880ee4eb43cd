use http::{Method, Request, request::Parts};
use proptest::prelude::*;

use super::{
    signer::{Pairs, Said, Signer, pairs, written},
    *,
};

/// A value with everything that is encoded otherwise by some client or other.
const NAME: &str = "测试 a+b/c*d~e%20&=!'()";
const NONCE: &str = "0123456789abcdef0123456789abcdef";

fn head(method: &str, query: &str, headers: &Pairs) -> Parts {
    let mut request = Request::builder().method(method).uri(format!("/?{query}"));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(()).expect("a request").into_parts().0
}

fn read(query: &str, form: &str) -> Parameters {
    Parameters::read(Some(query), form.as_bytes()).expect("good parameters")
}

fn base64(claim: &Claim) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &claim.signature)
}

/// The claim of a request by V3 with these headers, all of them signed.
fn v3_claim(query: &str, body: &str, headers: &[(&str, &str)], signature: &str) -> Result<Claim, Refusal> {
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let authorization = format!(
        "ACS3-HMAC-SHA256 Credential=LTAItestAK,SignedHeaders={},Signature={signature}",
        names.join(";")
    );
    let head = head("POST", query, &pairs(headers));
    v3::claim(&authorization, &head, &read(query, ""), body.as_bytes())
}

#[test]
fn v1_signs_as_its_documentation_does() {
    let query = "Action=DescribeRegions&Format=XML&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0\
        &SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&Timestamp=2016-02-23T12%3A46%3A24Z\
        &Version=2014-05-26&AccessKeyId=testid&Signature=OLeaidS1JvxuMvnyHOwuJ%2BuX5qY%3D";
    let claim = v1::claim(&Method::GET, &read(query, "")).expect("complete");
    assert!(claim.is_signed_by(b"testsecret"), "{claim:?}");
    assert!(!claim.is_signed_by(b"testsecret&"));
    assert_eq!((claim.access_key.as_str(), claim.security_token.as_deref()), ("testid", None));
    assert_eq!(claim.time.to_string(), "2016-02-23T12:46:24Z");
}

#[test]
fn v1_takes_parameters_from_query_and_form() {
    let given = [
        ("Action", "ListAgentlessTask"),
        ("Version", "2018-12-03"),
        ("Format", "JSON"),
        ("Timestamp", "2024-03-14T08:00:00Z"),
        ("SignatureNonce", NONCE),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("AccessKeyId", "LTAItestAK"),
        ("CurrentPage", "1"),
        ("PageSize", "20"),
        ("RootTask", "true"),
        ("MachineName", NAME),
    ];
    for (method, signature) in
        [(Method::GET, "vpn/cq+3GZQCe99RgUNxjtCnqFg="), (Method::POST, "X7fzy3bpkr4rr51OlWGMT/BCwYc=")]
    {
        let mut all = pairs(&given);
        all.push(("Signature".to_owned(), signature.to_owned()));
        for split in 0..=all.len() {
            let (query, form) = (written(&all[..split].to_vec()), written(&all[split..].to_vec()));
            let claim = v1::claim(&method, &read(&query, &form)).expect("complete");
            assert!(claim.is_signed_by(b"testSecret"), "{method} {split}");
            assert_eq!(base64(&claim), signature);
        }
    }
    let text = v1::string_to_sign(&Method::GET, &read(&written(&pairs(&given)), ""));
    assert_eq!(
        text,
        "GET&%2F&AccessKeyId%3DLTAItestAK%26Action%3DListAgentlessTask%26CurrentPage%3D1%26Format%3DJSON%26MachineName\
         %3D%25E6%25B5%258B%25E8%25AF%2595%2520a%252Bb%252Fc%252Ad~e%252520%2526%253D%2521%2527%2528%2529%26PageSize\
         %3D20%26RootTask%3Dtrue%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D0123456789abcdef0123456789abcdef%26\
         SignatureVersion%3D1.0%26Timestamp%3D2024-03-14T08%253A00%253A00Z%26Version%3D2018-12-03"
    );
}

#[test]
fn v3_signs_as_its_documentation_does() {
    let query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai";
    let headers = [
        ("host", "ecs.cn-shanghai.aliyuncs.com"),
        ("x-acs-action", "RunInstances"),
        ("x-acs-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("x-acs-date", "2023-10-26T10:22:32Z"),
        ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
        ("x-acs-version", "2014-05-26"),
    ];
    let signature = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0";
    let claim = v3_claim(query, "", &headers, signature).expect("complete");
    assert!(claim.is_signed_by(b"YourAccessKeySecret"), "{claim:?}");
    assert!(!claim.is_signed_by(b"youraccesskeysecret"));
    assert_eq!((claim.nonce.as_str(), claim.access_key.as_str()), (headers[4].1, "LTAItestAK"));
}

#[test]
fn v3_signs_the_query_and_a_digest_of_the_form() {
    let headers = |action, digest| {
        [
            ("accept", "application/json"),
            ("host", "127.0.0.1:18080"),
            ("x-acs-action", action),
            ("x-acs-content-sha256", digest),
            ("x-acs-date", "2024-03-14T08:00:00Z"),
            ("x-acs-signature-nonce", NONCE),
            ("x-acs-version", "2018-12-03"),
        ]
    };
    let empty =
        headers("ListAgentlessTask", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let signature = "44262995c7e5126dd5269574cb273afccbb8e1e599a5511668727486f588f59c";
    let query = [("CurrentPage", "1"), ("PageSize", "20"), ("RootTask", "true"), ("MachineName", NAME)];
    // Some clients write `+` for a space and leave some characters as they are.
    let written = written(&pairs(&query));
    for query in [written.clone(), written.replace("%20", "+").replace("%2F", "/").replace("%2A", "*")] {
        let claim = v3_claim(&query, "", &empty, signature).expect("complete");
        assert!(claim.is_signed_by(b"testSecret"), "{query}: {claim:?}");
    }

    let mut form = headers(
        "GetAgentlessTaskCountBatch",
        "2921d8f4f74071da5d6b509b6a491b4d3084aed15c8abdee407913e3677a1862",
    )
    .to_vec();
    form.insert(1, ("content-type", "application/x-www-form-urlencoded"));
    let signature = "cabaa3388fc1de39deff97c7b1244b7d38076aaf3a0fe39745557d23bc4d6a08";
    let body = "UuidList.1=u-1&UuidList.2=u+2";
    let claim = v3_claim("TargetType=1", body, &form, signature).expect("complete");
    assert!(claim.is_signed_by(b"testSecret"), "{claim:?}");
    let refused = v3_claim("TargetType=1", "UuidList.1=u-1", &form, signature).expect_err("another body");
    assert_eq!(refused.code(), "InvalidContentSHA256");
}

#[test]
fn a_header_that_comes_several_times_is_one_line() {
    let signer = signer();
    let mut headers = signer.v3("GET", &said(), &vec![], b"");
    headers.iter_mut().for_each(|(name, value)| {
        if name == "authorization" {
            *value = value.replace("host;", "host;tag;");
        }
    });
    for values in [["b", " a "], [" a", "b"]] {
        let mut sent = headers.clone();
        sent.extend(values.map(|value| ("tag".to_owned(), value.to_owned())));
        let head = head("GET", "", &sent);
        let authorization = authorization(&head.headers).expect("is there");
        let claim = v3::claim(authorization, &head, &read("", ""), b"").expect("complete");
        let request = claim.canonical_request.expect("of V3");
        assert!(request.contains("\ntag:a,b\n"), "{request}");
    }
}

fn signer() -> Signer {
    Signer { id: "GHkey".to_owned(), secret: "secret".to_owned(), token: None }
}

fn said() -> Said {
    Said {
        action: "ListAgentlessRegion".to_owned(),
        version: "2018-12-03".to_owned(),
        time: "2024-03-14T08:00:00Z".to_owned(),
        nonce: NONCE.to_owned(),
        host: "http://127.0.0.1:8080".to_owned(),
    }
}

#[test]
fn what_is_missing_or_foreign_is_named() {
    let good = signer().v3("GET", &said(), &vec![], b"");
    let refusal = |change: &dyn Fn(&mut Pairs)| {
        let mut headers = good.clone();
        change(&mut headers);
        let head = head("GET", "", &headers);
        let authorization = authorization(&head.headers).expect("is there");
        let refusal = v3::claim(authorization, &head, &read("", ""), b"").expect_err("refused");
        (refusal.code().to_owned(), refusal.message().to_owned())
    };
    let replace = |headers: &mut Pairs, from: &str, to: &str| {
        headers.iter_mut().for_each(|(_, value)| *value = value.replace(from, to));
    };
    for (from, to, code, named) in [
        ("ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "InvalidSignatureMethod", "ACS3-HMAC-SHA256"),
        ("ACS3-HMAC-SHA256", "ACS3-RSA-SHA256", "InvalidSignatureMethod", "ACS3-RSA-SHA256"),
        ("Credential=", "Credentials=", "IncompleteSignature", "Credential"),
        ("Signature=", "Signature=x", "IncompleteSignature", "hexadecimal"),
        ("host;", "", "IncompleteSignature", "host"),
        ("x-acs-signature-nonce;", "", "IncompleteSignature", "x-acs-signature-nonce"),
        ("2024-03-14T08:00:00Z", "2024-03-14 08:00:00", "InvalidTimeStamp.Format", "x-acs-date"),
        ("2024-03-14T08:00:00Z", "2024-03-14T08:61:00Z", "InvalidTimeStamp.Format", "x-acs-date"),
        ("2024-03-14T08:00:00Z", "", "IncompleteSignature", "x-acs-date"),
    ] {
        let (found, message) = refusal(&|headers| replace(headers, from, to));
        assert_eq!(found, code, "{to}: {message}");
        assert!(message.contains(named), "{to}: {message}");
    }
    let unsigned = refusal(&|headers| headers.push(("x-acs-security-token".to_owned(), "t".to_owned())));
    assert!(unsigned.1.contains("x-acs-security-token"), "{unsigned:?}");
}

#[test]
fn v1_names_what_is_missing_or_foreign() {
    let good = signer().v1("GET", &said(), &vec![]);
    let refusal = |name: &str, value: Option<&str>| {
        let mut all = good.clone();
        all.retain(|(other, _)| other != name);
        all.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        let refusal = v1::claim(&Method::GET, &read(&written(&all), "")).expect_err("refused");
        refusal.code().to_owned()
    };
    for name in ["AccessKeyId", "Timestamp", "SignatureNonce", "SignatureMethod", "SignatureVersion"] {
        assert_eq!(refusal(name, None), format!("Missing{name}"));
        assert_eq!(refusal(name, Some("")), format!("Missing{name}"));
    }
    for (name, value, code) in [
        ("SignatureMethod", "SHA256withRSA", "InvalidSignatureMethod"),
        ("SignatureMethod", "HMAC-SHA256", "InvalidSignatureMethod"),
        ("SignatureType", "PRIVATEKEY", "InvalidSignatureMethod"),
        ("SignatureVersion", "2.0", "InvalidSignatureVersion"),
        ("Timestamp", "now", "InvalidTimeStamp.Format"),
        ("Signature", "?", "IncompleteSignature"),
    ] {
        assert_eq!(refusal(name, Some(value)), code, "{name} {value}");
    }
}

#[test]
fn clocks_may_be_a_quarter_of_an_hour_apart() {
    let parameters = read(&written(&signer().v1("GET", &said(), &vec![])), "");
    let claim = v1::claim(&Method::GET, &parameters).expect("complete");
    for (seconds, good) in [(0, true), (900, true), (-900, true), (901, false), (-901, false)] {
        let now = claim.time.as_second() + seconds;
        let checked = claim.check_time(Timestamp::from_second(now).expect("in range"));
        assert_eq!(checked.is_ok(), good, "{seconds} s");
        if let Err(refusal) = checked {
            assert_eq!(refusal.code(), "InvalidTimeStamp.Expired");
        }
    }
    let (first, last) = (Timestamp::MIN, Timestamp::MAX);
    assert!(claim.check_time(first).is_err() && claim.check_time(last).is_err());
}

#[test]
fn a_mismatch_shows_what_was_signed_behind_a_colon() {
    let parameters = read(&written(&signer().v1("GET", &said(), &vec![])), "");
    let refusal = v1::claim(&Method::GET, &parameters).expect("complete").mismatch();
    let shown = refusal.message().split(':').nth(1).expect("a colon");
    assert_eq!(shown, v1::string_to_sign(&Method::GET, &parameters));
    assert_eq!(refusal.code(), "SignatureDoesNotMatch");
}

#[test]
fn requests_show_what_they_are() {
    let shows = |query: &str, headers: &[(&str, &str)]| Scheme::shows(&head("GET", query, &pairs(headers)));
    assert!(shows("", &[("x-acs-action", "A")]));
    assert!(shows("", &[("authorization", "ACS3-HMAC-SHA256 Credential=a")]));
    assert!(shows("Action=A&SignatureNonce=1", &[]));
    assert!(!shows("Action=A", &[("authorization", "Bearer t")]));

    let scheme = |query: &str, headers: &[(&str, &str)]| {
        let (head, parameters) = (head("GET", query, &pairs(headers)), read(query, ""));
        Scheme::of(&head, &parameters).map(|scheme| format!("{scheme:?}")).map_err(|r| r.code().to_owned())
    };
    assert_eq!(scheme("Signature=s", &[]), Ok("V1".to_owned()));
    assert_eq!(scheme("Signature=s", &[("authorization", "ACS3-X y")]), Ok("V3(\"ACS3-X y\")".to_owned()));
    assert_eq!(scheme("BearerToken=t", &[]), Ok("Bearer(\"t\")".to_owned()));
    assert_eq!(scheme("a=b", &[("x-acs-bearer-token", "t")]), Ok("Bearer(\"t\")".to_owned()));
    assert_eq!(scheme("a=b", &[("authorization", "Bearer t")]), Err("IncompleteSignature".to_owned()));
}

/// Parameters whose names differ from each other and from those that sign.
fn parameters() -> impl Strategy<Value = Pairs> {
    prop::collection::btree_map("p[\\PC]{0,6}", "\\PC{0,12}", 0..6)
        .prop_map(|parameters| parameters.into_iter().collect())
}

proptest! {
    #[test]
    fn what_a_client_signs_is_accepted_and_nothing_else(
        given in parameters(),
        form in "[a-z=&%+]{0,12}",
        place in any::<prop::sample::Index>(),
        bit in 0..7_u32,
    ) {
        let (signer, said) = (signer(), said());
        let query = written(&given);
        let headers = signer.v3("POST", &said, &given, form.as_bytes());
        let accepted = |query: &str, headers: &Pairs, form: &[u8]| {
            let Ok(parameters) = Parameters::read(Some(query), b"") else { return false };
            let head = head("POST", "", headers);
            let Some(authorization) = authorization(&head.headers) else { return false };
            let claim = v3::claim(authorization, &head, &parameters, form);
            claim.is_ok_and(|claim| claim.is_signed_by(signer.secret.as_bytes()))
        };
        prop_assert!(accepted(&query, &headers, form.as_bytes()));

        // One bit of the query, the form or a header.
        let flip = |text: &mut Vec<u8>, place: usize| text[place] ^= 1 << bit;
        if !query.is_empty() {
            let mut changed = query.clone().into_bytes();
            flip(&mut changed, place.index(query.len()));
            if let Ok(changed) = String::from_utf8(changed) {
                let same = Parameters::read(Some(&changed), b"").is_ok_and(|p| p == read(&query, ""));
                prop_assert_eq!(accepted(&changed, &headers, form.as_bytes()), same, "{}", changed);
            }
        }
        if !form.is_empty() {
            let mut changed = form.clone().into_bytes();
            flip(&mut changed, place.index(form.len()));
            prop_assert!(!accepted(&query, &headers, &changed));
        }
        for header in 0..headers.len() {
            let mut changed = headers.clone();
            let value = &mut changed[header].1;
            let mut bytes = std::mem::take(value).into_bytes();
            let at = place.index(bytes.len());
            flip(&mut bytes, at);
            let text = String::from_utf8(bytes).ok();
            // What no header can hold is nothing that arrives.
            let Some(text) = text.filter(|text| text.bytes().all(|byte| (0x21..0x7f).contains(&byte))) else { continue };
            let is_key = text.contains("Credential=") && at < headers[header].1.find(",SignedHeaders").unwrap_or(0);
            changed[header].1 = text;
            // Which key is meant is looked up before: another key has another secret.
            prop_assert!(is_key || !accepted(&query, &changed, form.as_bytes()), "{:?}", changed[header]);
        }
    }

    #[test]
    fn v1_accepts_what_a_client_signs_wherever_it_puts_it(
        given in parameters(),
        split in any::<prop::sample::Index>(),
        other in "[a-zA-Z0-9]{1,8}",
    ) {
        let signer = signer();
        let all = signer.v1("POST", &said(), &given);
        let split = split.index(all.len() + 1);
        let (query, form) = (written(&all[..split].to_vec()), written(&all[split..].to_vec()));
        let accepted = |query: &str, form: &str| {
            let Ok(parameters) = Parameters::read(Some(query), form.as_bytes()) else { return false };
            let claim = v1::claim(&Method::POST, &parameters);
            claim.is_ok_and(|claim| claim.is_signed_by(signer.secret.as_bytes()))
        };
        prop_assert!(accepted(&query, &form));
        let more = format!("{query}&{other}x=");
        prop_assert!(!accepted(&more, &form), "one more");
        for place in 0..all.len() {
            let mut changed = all.clone();
            changed[place].1.push_str(&other);
            prop_assert!(!accepted(&written(&changed), ""), "{}", changed[place].0);
            let mut less = all.clone();
            less.remove(place);
            prop_assert!(!accepted(&written(&less), ""), "{}", all[place].0);
        }
        let claim = v1::claim(&Method::GET, &read(&query, &form)).expect("complete");
        prop_assert!(!claim.is_signed_by(signer.secret.as_bytes()), "the verb is signed, too");
    }
}
