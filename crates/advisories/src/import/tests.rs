use proptest::prelude::*;

use super::*;
use crate::import::meter::Allowance;

/// Reads a document within small bounds: how many advisories there are, and the first thing that was skipped.
fn read(text: &str, allowance: &Allowance) -> (u64, String) {
    let mut store = Store::in_memory().expect("a store");
    let source = Source { name: "test".to_owned(), ..Source::default() };
    let read = store.replace(&source, |writer| {
        let mut intake = Intake { writer, tally: Tally::default() };
        document::read("test", text.as_bytes(), allowance, &mut intake)?;
        let read = (intake.writer.advisories(), intake.tally.into_first());
        Ok::<_, ImportError>((read, source.clone()))
    });
    let (advisories, first) = read.expect("a store");
    (advisories, first.map(|first| first.reason).unwrap_or_default())
}

#[test]
fn a_stream_is_read_an_entry_at_a_time() {
    let one = |id: u32, blanks: usize| {
        let affected = r#"[{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]}]"#;
        format!("{{\"id\": \"A-{id}\", {}\"affected\": {affected}}}", " ".repeat(blanks))
    };
    // Too long to be read into memory first.
    let many: Vec<String> = (0..60).map(|id| one(id, 100_000)).collect();
    // What stands in the buffer and at the head is counted with the entry that is read next.
    let largest = 5 * 1024 * 1024;
    for text in [
        many.join("\n"),
        format!("[{}]", many.join(",")),
        format!("{{\"vulns\": [{}]}}", many[..20].join(",")),
    ] {
        let expected = if text.starts_with("{\"vulns") { 20 } else { 60 };
        assert_eq!(read(&text, &Allowance::of(u64::MAX, largest)), (expected, String::new()));
    }
    let bomb = format!("{}\n{}", one(1, 0), one(2, 12 * 1024 * 1024));
    let (advisories, told) = read(&bomb, &Allowance::of(u64::MAX, largest));
    assert!(advisories == 1 && told.contains("an entry has more than"), "{advisories} {told}");
    let (_, told) = read(&many.join("\n"), &Allowance::of(5 * 1024 * 1024, largest));
    assert!(told.contains("unpacks to far more"), "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn hostile_files_end(file in crate::hostile::file("advisories")) {
        fuzzing(&file);
    }
}
