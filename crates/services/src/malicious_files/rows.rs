//! How malicious files are shown.

use std::collections::HashMap;

use guardhouse_contract::agentless::{
    MaliciousFileDetail, MaliciousFileNote, MaliciousFileRow, RelatedMaliciousFileRow,
};
use guardhouse_model::agentless::Language;
use guardhouse_store::{MaliciousFile, MaliciousNote};

/// Programs whose clients read a path as a number, and fail on the whole answer where it is a text. Their names are part
/// of what those clients call themselves.
const READ_NUMBERS: [&str; 2] = ["Golang/", "Java/"];

/// Whether a client that calls itself so can read paths.
pub fn reads_paths(user_agent: &str) -> bool {
    !READ_NUMBERS.iter().any(|program| user_agent.contains(program))
}

/// A row of the list of all files; with its path, where the client can read it.
pub fn row(file: MaliciousFile, language: Language, with_path: bool) -> MaliciousFileRow {
    let notes = file.notes.iter().map(note).collect();
    let related = related(file, language);
    MaliciousFileRow {
        id: related.id,
        level: related.level,
        malicious_name: related.malicious_name,
        malicious_type: related.malicious_type,
        malicious_md5: related.malicious_md5,
        file_path: with_path.then_some(related.file_path),
        partition: related.partition,
        first_scan_timestamp: related.first_scan_timestamp,
        latest_scan_timestamp: related.latest_scan_timestamp,
        uuid: related.uuid,
        instance_name: related.instance_name,
        internet_ip: related.internet_ip,
        intranet_ip: related.intranet_ip,
        target_id: related.target_id,
        target_name: related.target_name,
        target_type: related.target_type,
        operate_result: related.operate_result,
        operate_timestamp: related.operate_timestamp,
        download_url: related.download_url,
        high_light: related.high_light,
        details: related.details,
        notes,
    }
}

/// A row of the list of files that are alike.
pub fn related(file: MaliciousFile, language: Language) -> RelatedMaliciousFileRow {
    let details = details(&file, language);
    let MaliciousFile { id, found, asset, first_time, latest_time, operated, .. } = file;
    let (operate_result, operate_timestamp) = match operated {
        Some((operation, time)) => {
            (format!("{}.USER.Success", operation.word()), time.as_millisecond().to_string())
        }
        None => (String::new(), String::new()),
    };
    RelatedMaliciousFileRow {
        id,
        level: found.level.word().to_owned(),
        malicious_name: found.name,
        malicious_type: found.kind.name(language).to_owned(),
        malicious_md5: found.md5,
        file_path: found.path,
        partition: found.partition,
        first_scan_timestamp: first_time.as_millisecond(),
        latest_scan_timestamp: latest_time.as_millisecond(),
        uuid: asset.instance_id.clone(),
        instance_name: asset.instance_name,
        internet_ip: asset.internet_ip,
        intranet_ip: asset.intranet_ip,
        target_id: asset.instance_id,
        target_name: asset.target_name,
        target_type: target_type(asset.target_type).to_owned(),
        operate_result,
        operate_timestamp,
        download_url: String::new(),
        high_light: found.highlight,
        details,
    }
}

/// What an asset is: of a server or of the user, a snapshot or an image.
fn target_type(number: i32) -> &'static str {
    match number {
        2 | 4 => "2",
        _ => "1",
    }
}

/// What is known of every file, and behind that what the scan had to say of this one.
fn details(file: &MaliciousFile, language: Language) -> Vec<MaliciousFileDetail> {
    let path = match language {
        Language::Chinese => "文件路径",
        Language::English => "File path",
    };
    let known = [
        (path, "file_path", &file.found.path),
        ("MD5", "md5", &file.found.md5),
        ("SHA-256", "sha256", &file.found.sha256),
    ];
    let known = known.into_iter().map(|(name, key, value)| MaliciousFileDetail {
        name: name.to_owned(),
        name_key: key.to_owned(),
        r#type: "text".to_owned(),
        value: value.clone(),
    });
    let told: Vec<HashMap<String, String>> = serde_json::from_str(&file.found.details).unwrap_or_default();
    let told = told.into_iter().map(|mut detail| {
        let mut member = |name| detail.remove(name).unwrap_or_default();
        MaliciousFileDetail {
            name: member("Name"),
            name_key: member("NameKey"),
            r#type: member("Type"),
            value: member("Value"),
        }
    });
    known.chain(told).collect()
}

fn note(note: &MaliciousNote) -> MaliciousFileNote {
    MaliciousFileNote {
        note: note.note.clone(),
        note_id: note.id.to_string(),
        note_time: note.create_time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_model::{
        Timestamp,
        agentless::{Handling, MaliciousLevel, MaliciousOperation, MaliciousType},
    };
    use guardhouse_store::{NewMaliciousFile, ScannedAsset};

    use super::*;

    fn file(target_type: i32, details: &str) -> MaliciousFile {
        let at = |second| Timestamp::from_second(second).expect("in range");
        MaliciousFile {
            id: 7,
            found: NewMaliciousFile {
                md5: "00".repeat(16),
                sha256: "11".repeat(32),
                path: "/srv/a.php".to_owned(),
                partition: "/dev/vda1".to_owned(),
                name: "Shell".to_owned(),
                kind: MaliciousType::Script,
                level: MaliciousLevel::Remind,
                highlight: "{}".to_owned(),
                details: details.to_owned(),
            },
            asset: ScannedAsset {
                instance_id: "s-1".to_owned(),
                target_type,
                target_name: "disk".to_owned(),
                instance_name: "web-1".to_owned(),
                internet_ip: "192.0.2.1".to_owned(),
                intranet_ip: "10.0.0.1".to_owned(),
            },
            first_time: at(1),
            latest_time: at(2),
            handling: Handling::Open,
            operated: Some((MaliciousOperation::AddWhitelist, at(3))),
            notes: vec![MaliciousNote { id: 9, note: "a note".to_owned(), create_time: at(86_400) }],
        }
    }

    #[test]
    fn a_row_has_the_words_of_the_public_api() {
        let row = row(
            file(3, r#"[{"Name":"Rule","NameKey":"rule","Type":"text","Value":"x"}]"#),
            Language::English,
            true,
        );
        assert_eq!(
            (row.id, row.level.as_str(), row.malicious_type.as_str()),
            (7, "remind", "Malicious Script")
        );
        assert_eq!((row.first_scan_timestamp, row.latest_scan_timestamp), (1_000, 2_000));
        assert_eq!(
            (row.operate_result.as_str(), row.operate_timestamp.as_str()),
            ("addWhitelist.USER.Success", "3000")
        );
        assert_eq!(
            (row.uuid.as_str(), row.target_id.as_str(), row.target_type.as_str()),
            ("s-1", "s-1", "1")
        );
        assert_eq!(row.file_path.as_deref(), Some("/srv/a.php"));
        let details: Vec<_> = row
            .details
            .iter()
            .map(|one| (one.name.as_str(), one.name_key.as_str(), one.value.as_str()))
            .collect();
        assert_eq!(
            (details[0], details[3]),
            (("File path", "file_path", "/srv/a.php"), ("Rule", "rule", "x"))
        );
        assert_eq!(
            (row.notes[0].note_id.as_str(), row.notes[0].note_time.as_str()),
            ("9", "1970-01-02 00:00:00")
        );
    }

    #[test]
    fn clients_that_cannot_read_a_path_get_it_among_the_details() {
        for (user_agent, reads) in [
            ("", true),
            ("AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2", true),
            ("AlibabaCloud (linux; x64) Node.js/v18.19.0 Core/1.0.1 TeaDSL/1", true),
            ("AlibabaCloud (linux; amd64) Golang/1.22.1 Core/0.01 TeaDSL/1", false),
            ("AlibabaCloud (Linux; amd64) Java/17.0.2+8-86 tea-util/0.2.6 TeaDSL/1", false),
        ] {
            assert_eq!(reads_paths(user_agent), reads, "{user_agent}");
        }
        let row = row(file(4, "no JSON"), Language::Chinese, false);
        assert_eq!((row.file_path, row.target_type.as_str(), row.details.len()), (None, "2", 3));
        assert_eq!((row.details[0].name.as_str(), row.details[0].value.as_str()), ("文件路径", "/srv/a.php"));
    }
}
