use guardhouse_model::agentless::{Handling, MaliciousLevel, MaliciousOperation, MaliciousType};
use guardhouse_store::{
    AgentlessResult, AssetFilter, Likeness, MaliciousFile, MaliciousFileFilter, MaliciousFilesHandled,
    MaliciousNoteAdded, MaliciousRule, MaliciousRuleChange, MaliciousRuleRefusal, NewMaliciousFile,
    PageNumber, Store, SubtaskOutcome,
};

use crate::{
    agentless_support::{ALL, found_until},
    support::{Fixture, at},
};

use MaliciousOperation::{AddWhitelist, Ignore, MarkMisInfo, OffWhitelist, OfflineHandled};

/// A file of this content at this path.
pub fn file(content: &str, path: &str) -> NewMaliciousFile {
    NewMaliciousFile {
        md5: format!("{content:0>32}"),
        sha256: format!("{content:0>64}"),
        path: path.to_owned(),
        partition: "/dev/vda1".to_owned(),
        name: "Trojan.Ä".to_owned(),
        kind: MaliciousType::Software,
        level: MaliciousLevel::Suspicious,
        highlight: "{}".to_owned(),
        details: "[]".to_owned(),
    }
}

/// A scan that found these files.
pub fn with(malicious_files: Vec<NewMaliciousFile>) -> SubtaskOutcome {
    SubtaskOutcome::Done(AgentlessResult {
        expire_time: at(1_000_000),
        malicious_files,
        ..Default::default()
    })
}

/// Scans an asset, which finds this.
pub async fn scan(f: &Fixture, asset: &str, second: i64, outcome: SubtaskOutcome) {
    f.scan(&[asset], second).await;
    let lease = f.take_one(second).await.lease;
    assert!(f.end(lease, outcome, second + 1).await);
}

async fn list(f: &Fixture, filter: MaliciousFileFilter) -> Vec<MaliciousFile> {
    let page = f.store.agentless_malicious_files_list(filter, ALL).await.expect("reads");
    assert_eq!(page.total, page.rows.len() as u64);
    page.rows
}

async fn all(f: &Fixture) -> Vec<MaliciousFile> {
    list(f, MaliciousFileFilter::default()).await
}

async fn one(f: &Fixture, path: &str) -> MaliciousFile {
    let mut found = all(f).await;
    found.retain(|file| file.found.path == path);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// How many files count.
async fn open(f: &Fixture) -> u64 {
    let totals = f.store.agentless_results_count(None, None, at(0)).await.expect("reads");
    let open = list(f, MaliciousFileFilter { is_handled: Some(false), ..Default::default() }).await;
    assert_eq!(totals.malicious, open.len() as u64);
    totals.malicious
}

async fn handle(f: &Fixture, ids: &[i64], operation: MaliciousOperation) -> MaliciousFilesHandled {
    let handled = f.store.agentless_malicious_files_handle(ids.to_vec(), operation, at(50)).await;
    handled.expect("writes")
}

async fn change(f: &Fixture, id: Option<i64>, content: &str) -> Result<MaliciousRule, MaliciousRuleRefusal> {
    let md5 = Some(file(content, "").md5);
    let changes = vec![MaliciousRuleChange { id, md5, ..Default::default() }];
    let changed = f.store.agentless_malicious_rules_change(changes, at(60)).await.expect("writes");
    changed.map(|mut rules| rules.pop().expect("one for each change"))
}

async fn remove(f: &Fixture, ids: &[i64]) -> Vec<i64> {
    f.store.agentless_malicious_rules_remove(ids.to_vec(), at(70)).await.expect("writes")
}

pub async fn a_file_that_is_found_again_is_the_same(f: &Fixture) {
    scan(f, "s-1", 0, with(vec![file("a", "/a"), file("b", "/b"), file("a", "/a")])).await;
    let first = all(f).await;
    let [b, a] = &first[..] else { panic!("{first:?}") };
    assert_eq!((&a.found, &b.found), (&file("a", "/a"), &file("b", "/b")));
    assert_eq!((a.first_time, a.latest_time, a.handling, a.operated), (at(1), at(1), Handling::Open, None));
    assert_eq!((a.asset.instance_id.as_str(), a.asset.target_type), ("s-1", 3));
    assert_eq!((a.asset.target_name.as_str(), a.asset.instance_name.as_str()), ("s-1.qcow2", "Host of s-1"));
    assert_eq!((a.asset.internet_ip.as_str(), a.asset.intranet_ip.as_str()), ("192.0.2.1", "10.0.0.1"));
    assert_eq!(open(f).await, 2);

    assert_eq!(handle(f, &[a.id], Ignore).await, MaliciousFilesHandled::Done(1));
    let added = f.store.agentless_malicious_note_add(a.id, "a note".to_owned(), at(3)).await;
    assert_eq!(added.expect("writes"), MaliciousNoteAdded::Added);
    let worse =
        NewMaliciousFile { level: MaliciousLevel::Serious, details: "[1]".to_owned(), ..file("a", "/a") };
    // Another content at the same place is another file.
    scan(f, "s-1", 10, with(vec![file("c", "/b"), worse.clone()])).await;
    let again = one(f, "/a").await;
    assert_eq!((again.id, &again.found, again.first_time, again.latest_time), (a.id, &worse, at(1), at(11)));
    assert_eq!((again.handling, again.operated), (Handling::Ignored, Some((Ignore, at(50)))));
    assert_eq!(again.notes.iter().map(|note| note.note.as_str()).collect::<Vec<_>>(), ["a note"]);
    let other = one(f, "/b").await;
    assert!(other.id > b.id, "no id is given twice");
    assert_eq!(open(f).await, 1);

    // What failed changes nothing; what found nothing leaves nothing.
    scan(f, "s-1", 20, SubtaskOutcome::Failed("no system".to_owned())).await;
    assert_eq!(all(f).await.len(), 2);
    scan(f, "s-1", 30, found_until(at(1_000_000))).await;
    assert_eq!((all(f).await, open(f).await), (vec![], 0));
}

pub async fn files_go_with_the_result(f: &Fixture) {
    let task = f.scan(&["s-1"], 0).await;
    let lease = f.take_one(0).await.lease;
    assert!(f.end(lease, with(vec![file("a", "/a")]), 1).await);
    scan(f, "s-2", 2, with(vec![file("a", "/a")])).await;
    let first = all(f).await.pop().expect("two");
    let added = f.store.agentless_malicious_note_add(first.id, "a note".to_owned(), at(3)).await;
    assert_eq!(added.expect("writes"), MaliciousNoteAdded::Added);
    f.store.agentless_task_delete(task).await.expect("writes");
    let left = all(f).await;
    assert_eq!(left.iter().map(|file| file.asset.instance_id.as_str()).collect::<Vec<_>>(), ["s-2"]);
    assert!(!f.store.agentless_malicious_note_remove(1).await.expect("works"), "notes go, too");
}

pub async fn what_is_done_about_files_is_kept_and_counted(f: &Fixture) {
    scan(f, "s-1", 0, with(vec![file("a", "/a"), file("b", "/b"), file("c", "/c")])).await;
    let ids: Vec<i64> = all(f).await.iter().map(|file| file.id).collect();
    assert_eq!(handle(f, &[ids[0], 99, 98], Ignore).await, MaliciousFilesHandled::NotFound(vec![98, 99]));
    assert_eq!(open(f).await, 3, "nothing was done");
    assert_eq!(handle(f, &ids, OffWhitelist).await, MaliciousFilesHandled::Done(0));
    assert_eq!(handle(f, &ids[..2], MarkMisInfo).await, MaliciousFilesHandled::Done(2));
    assert_eq!(handle(f, &ids, MarkMisInfo).await, MaliciousFilesHandled::Done(1), "the others are already");
    assert_eq!((open(f).await, handle(f, &[], Ignore).await), (0, MaliciousFilesHandled::Done(0)));
    assert_eq!(handle(f, &[ids[0], ids[0]], AddWhitelist).await, MaliciousFilesHandled::Done(1));
    assert_eq!(handle(f, &ids, OffWhitelist).await, MaliciousFilesHandled::Done(1));
    let again = all(f).await;
    assert_eq!(again[0].operated, Some((OffWhitelist, at(50))));
    let handlings: Vec<_> = again.iter().map(|file| file.handling).collect();
    assert_eq!(handlings, [Handling::Open, Handling::Misjudged, Handling::Misjudged]);
    assert_eq!(open(f).await, 1);
}

pub async fn what_is_like_a_file_is_handled_together(f: &Fixture) {
    let script = |content, path| NewMaliciousFile { kind: MaliciousType::Script, ..file(content, path) };
    scan(f, "s-1", 0, with(vec![file("a", "/a"), script("a", "/s"), file("b", "/b")])).await;
    scan(f, "s-2", 2, with(vec![file("b", "/other")])).await;
    let a = one(f, "/a").await.id;
    let like = async |id, likeness| {
        let filter = MaliciousFileFilter { like: Some((id, likeness)), ..Default::default() };
        list(f, filter).await.into_iter().map(|file| file.found.path).collect::<Vec<_>>()
    };
    assert_eq!(like(a, Likeness::Type).await, ["/other", "/b", "/a"]);
    assert_eq!(like(a, Likeness::Md5).await, ["/s", "/a"]);
    assert_eq!(like(99, Likeness::Md5).await, [""; 0]);
    let handle = async |id, likeness, types, operation| {
        let handled =
            f.store.agentless_malicious_files_handle_like(id, likeness, types, operation, at(50)).await;
        handled.expect("writes")
    };
    assert_eq!(handle(99, Likeness::Type, None, Ignore).await, None);
    assert_eq!(handle(a, Likeness::Type, Some(vec![]), Ignore).await, Some(0));
    assert_eq!(handle(a, Likeness::Type, Some(vec![1, 4]), Ignore).await, Some(0));
    assert_eq!(handle(a, Likeness::Md5, Some(vec![3]), OfflineHandled).await, Some(2));
    assert_eq!(handle(a, Likeness::Type, None, OfflineHandled).await, Some(2));
    assert_eq!(open(f).await, 0);
}

pub async fn equal_files_that_come_later_are_good(f: &Fixture) {
    scan(f, "s-1", 0, with(vec![file("a", "/a"), file("a", "/copy")])).await;
    let a = one(f, "/a").await.id;
    assert_eq!(handle(f, &[a], AddWhitelist).await, MaliciousFilesHandled::Done(1));
    assert_eq!(one(f, "/copy").await.handling, Handling::Open, "it was there before");
    scan(f, "s-2", 10, with(vec![file("a", "/b"), file("c", "/c")])).await;
    let b = one(f, "/b").await;
    assert_eq!((b.handling, b.operated), (Handling::Whitelisted, Some((AddWhitelist, at(11)))));
    assert_eq!((one(f, "/c").await.handling, open(f).await), (Handling::Open, 2));
    assert_eq!(handle(f, &[a], OffWhitelist).await, MaliciousFilesHandled::Done(1));
    scan(f, "s-3", 20, with(vec![file("a", "/d")])).await;
    assert_eq!((one(f, "/d").await.handling, open(f).await), (Handling::Open, 4));
    // Somebody who ignores it has another opinion of it.
    assert_eq!(handle(f, &[a], AddWhitelist).await, MaliciousFilesHandled::Done(1));
    assert_eq!(handle(f, &[a], Ignore).await, MaliciousFilesHandled::Done(1));
    scan(f, "s-4", 30, with(vec![file("a", "/e")])).await;
    assert_eq!(one(f, "/e").await.handling, Handling::Open);
}

pub async fn rules_take_files_for_good(f: &Fixture) {
    scan(f, "s-1", 0, with(vec![file("a", "/a"), file("b", "/b"), file("a", "/ignored")])).await;
    let ignored = one(f, "/ignored").await.id;
    assert_eq!(handle(f, &[ignored], Ignore).await, MaliciousFilesHandled::Done(1));
    let rule = change(f, None, "a").await.expect("is made");
    assert_eq!((rule.says.md5.as_str(), rule.says.remark.as_str()), (&*file("a", "").md5, ""));
    assert_eq!((rule.create_time, rule.update_time), (at(60), at(60)));
    let a = one(f, "/a").await;
    assert_eq!((a.handling, a.operated), (Handling::Whitelisted, Some((AddWhitelist, at(60)))));
    assert_eq!((one(f, "/ignored").await.handling, open(f).await), (Handling::Ignored, 1));
    scan(f, "s-2", 10, with(vec![file("a", "/later")])).await;
    let later = one(f, "/later").await;
    assert_eq!((later.handling, later.operated), (Handling::Whitelisted, Some((AddWhitelist, at(11)))));

    // Another content: what it was about is open again, and what it is about now is not.
    assert_eq!(change(f, Some(99), "b").await, Err(MaliciousRuleRefusal::NotFound(0)));
    assert_eq!(change(f, Some(rule.id), "b").await.expect("is changed").says.md5, file("b", "").md5);
    let a = one(f, "/a").await;
    assert_eq!((a.handling, a.operated), (Handling::Open, Some((OffWhitelist, at(60)))));
    assert_eq!((one(f, "/b").await.handling, open(f).await), (Handling::Whitelisted, 2));
    assert_eq!(remove(f, &[rule.id, 99]).await, [99]);
    assert_eq!(one(f, "/b").await.handling, Handling::Whitelisted, "nothing was removed");
    assert_eq!((remove(f, &[rule.id, rule.id]).await, open(f).await), (vec![], 3));
    assert_eq!(one(f, "/ignored").await.handling, Handling::Ignored);
}

pub async fn rules_are_changed_all_or_none(f: &Fixture) {
    let change_all = async |changes: Vec<(Option<i64>, Option<&str>, Option<&str>)>| {
        let change =
            |(id, content, remark): &(Option<i64>, Option<&str>, Option<&str>)| MaliciousRuleChange {
                id: *id,
                md5: content.map(|content| file(content, "").md5),
                remark: remark.map(str::to_owned),
                scope: None,
            };
        let changes = changes.iter().map(change).collect();
        f.store.agentless_malicious_rules_change(changes, at(60)).await.expect("writes")
    };
    let ids = async || {
        let page = f.store.agentless_malicious_rules_list(None, ALL).await.expect("reads");
        assert_eq!(page.total, page.rows.len() as u64);
        page.rows.into_iter().map(|rule| rule.id).collect::<Vec<_>>()
    };
    let made = change_all(vec![(None, Some("a"), Some("x")), (None, Some("b"), None)]).await.expect("good");
    let (a, b) = (made[0].id, made[1].id);
    assert_eq!(ids().await, [b, a]);
    for (changes, refusal) in [
        (vec![(None, Some("c"), None), (None, Some("a"), None)], MaliciousRuleRefusal::Taken(1, Some(a))),
        (vec![(None, Some("c"), None), (None, Some("c"), None)], MaliciousRuleRefusal::Taken(1, None)),
        (vec![(None, Some("c"), None), (Some(b), Some("a"), None)], MaliciousRuleRefusal::Taken(1, Some(a))),
        (vec![(None, Some("c"), None), (Some(99), None, None)], MaliciousRuleRefusal::NotFound(1)),
    ] {
        assert_eq!(change_all(changes).await, Err(refusal));
        assert_eq!(ids().await, [b, a], "nothing was done");
    }
    let same = change_all(vec![(Some(a), Some("a"), None)]).await.expect("good").remove(0);
    assert_eq!((same.says.remark.as_str(), same.id), ("x", a));
    let emptied = change_all(vec![(Some(a), None, Some(""))]).await.expect("good").remove(0);
    assert_eq!((emptied.says.remark.as_str(), emptied.says.md5), ("", file("a", "").md5));
    let moved = change_all(vec![(Some(b), Some("c"), None), (Some(a), Some("b"), None)]).await.expect("good");
    assert_eq!((moved[0].id, moved[1].id, &moved[1].says.md5), (b, a, &file("b", "").md5), "room was made");
    assert_eq!(f.store.agentless_malicious_rule_get(a).await.expect("reads").map(|rule| rule.id), Some(a));
    assert_eq!(f.store.agentless_malicious_rule_get(99).await.expect("reads"), None);
    let page = |skip| PageNumber { skip, size: 1 };
    for (id, skip, rows, total) in
        [(None, 1, 1, 2), (Some(a), 0, 1, 1), (Some(a), 1, 0, 1), (Some(99), 0, 0, 0)]
    {
        let found = f.store.agentless_malicious_rules_list(id, page(skip)).await.expect("reads");
        assert_eq!((found.rows.len(), found.total), (rows, total), "{id:?}");
    }
}

pub async fn files_are_filtered_and_paged(f: &Fixture) {
    let shell = NewMaliciousFile {
        name: "Web_Shell%".to_owned(),
        kind: MaliciousType::WebShell,
        level: MaliciousLevel::Serious,
        ..file("b", "/b")
    };
    scan(f, "s-1", 0, with(vec![file("a", "/a"), shell])).await;
    scan(f, "s-2", 2, with(vec![file("a", "/c")])).await;
    let (a, b) = (one(f, "/a").await.id, one(f, "/b").await.id);
    assert_eq!(handle(f, &[a], Ignore).await, MaliciousFilesHandled::Done(1));
    let any = MaliciousFileFilter::default;
    let on = |asset| MaliciousFileFilter { asset, ..any() };
    let asset = AssetFilter::default;
    let named = |name: &str| MaliciousFileFilter { name: name.to_owned(), ..any() };
    let remark = |remark: &str| on(AssetFilter { remark: remark.to_owned(), ..asset() });
    let kinds = |kind| MaliciousFileFilter { kind: Some(kind), ..any() };
    let levels = |levels: &[MaliciousLevel]| MaliciousFileFilter { levels: levels.to_vec(), ..any() };
    let handled = |is_handled| MaliciousFileFilter { is_handled: Some(is_handled), ..any() };
    let md5 = |content| MaliciousFileFilter { md5: file(content, "").md5, ..any() };
    let of = |id: &str| on(AssetFilter { instance_ids: vec![id.to_owned()], ..asset() });
    let types = |types: &[i32]| on(AssetFilter { target_types: Some(types.to_vec()), ..asset() });
    for (filter, paths) in [
        (any(), vec!["/c", "/b", "/a"]),
        (MaliciousFileFilter { id: Some(b), ..any() }, vec!["/b"]),
        (named("TROJAN.Ä"), vec!["/c", "/a"]),
        (named("_shell%"), vec!["/b"]),
        (named("tr%n"), vec![]),
        (named("trojan\0"), vec![]),
        (md5("a"), vec!["/c", "/a"]),
        (kinds(MaliciousType::WebShell), vec!["/b"]),
        (levels(&[MaliciousLevel::Serious, MaliciousLevel::Remind]), vec!["/b"]),
        (handled(true), vec!["/a"]),
        (handled(false), vec!["/c", "/b"]),
        (of("s-2"), vec!["/c"]),
        (of("s-3"), vec![]),
        (remark("HOST OF S-1"), vec!["/b", "/a"]),
        (remark("s-2.QCOW2"), vec!["/c"]),
        (remark("192.0"), vec!["/c", "/b", "/a"]),
        (remark("10.0.0.2"), vec![]),
        (types(&[3]), vec!["/c", "/b", "/a"]),
        (types(&[4]), vec![]),
        (types(&[]), vec![]),
        (MaliciousFileFilter { is_handled: Some(false), ..md5("a") }, vec!["/c"]),
    ] {
        let what = format!("{filter:?}");
        let found: Vec<_> = list(f, filter).await.into_iter().map(|file| file.found.path).collect();
        assert_eq!(found, paths, "{what}");
    }
    let second = PageNumber { skip: 1, size: 1 };
    let page = f.store.agentless_malicious_files_list(any(), second).await.expect("reads");
    assert_eq!((page.rows[0].found.path.as_str(), page.rows.len(), page.total), ("/b", 1, 3));

    let samples = f.store.agentless_malicious_samples_list(any(), ALL).await.expect("reads");
    assert_eq!((samples.rows.len(), samples.total), (2, 2));
    let newest = &samples.rows[0];
    assert_eq!((newest.md5.as_str(), newest.name.as_str()), (&*file("a", "").md5, "Trojan.Ä"));
    assert_eq!((newest.first_time, newest.latest_time, newest.assets), (at(1), at(3), 2));
    assert_eq!((newest.files, newest.open, newest.whitelisted), (2, 1, 0));
    let filter = MaliciousFileFilter { levels: vec![MaliciousLevel::Serious], ..remark("s-1") };
    let samples = f.store.agentless_malicious_samples_list(filter, ALL).await.expect("reads");
    assert_eq!((samples.rows[0].sha256.clone(), samples.total), (file("b", "").sha256, 1));
    let beyond = f.store.agentless_malicious_samples_list(any(), PageNumber { skip: 2, size: 1 }).await;
    assert_eq!(beyond.map(|page| (page.rows.len(), page.total)).expect("reads"), (0, 2));
}

pub async fn notes_are_few_and_in_order(f: &Fixture) {
    scan(f, "s-1", 0, with(vec![file("a", "/a")])).await;
    let id = one(f, "/a").await.id;
    let add = async |file, text: &str, second| {
        f.store.agentless_malicious_note_add(file, text.to_owned(), at(second)).await.expect("writes")
    };
    assert_eq!(add(id + 1, "a", 1).await, MaliciousNoteAdded::NotFound);
    for second in 0..Store::AGENTLESS_MALICIOUS_NOTES {
        let second = i64::try_from(second).expect("a few");
        assert_eq!(add(id, &second.to_string(), second).await, MaliciousNoteAdded::Added);
    }
    let most = Store::AGENTLESS_MALICIOUS_NOTES;
    assert_eq!(add(id, "one more", 100).await, MaliciousNoteAdded::Full(most));
    let notes = one(f, "/a").await.notes;
    assert_eq!((notes.len(), notes[1].note.as_str(), notes[1].create_time), (most, "1", at(1)));
    assert!(f.store.agentless_malicious_note_remove(notes[0].id).await.expect("works"));
    assert!(!f.store.agentless_malicious_note_remove(notes[0].id).await.expect("works"));
    assert_eq!(add(id, "one more", 100).await, MaliciousNoteAdded::Added);
    assert_eq!(one(f, "/a").await.notes.last().map(|note| note.note.clone()), Some("one more".to_owned()));
}

pub async fn odd_texts_of_files_are_kept(f: &Fixture) {
    let odd = NewMaliciousFile { name: "a\0b".to_owned(), ..file("ä", &"/long".repeat(2_000)) };
    for second in [0, 10] {
        scan(f, "s-1", second, with(vec![odd.clone(), file("a", "/')")])).await;
        let found = all(f).await;
        let [plain, kept] = &found[..] else { panic!("{found:?}") };
        assert_eq!((kept.found.name.as_str(), kept.first_time), ("a\u{fffd}b", at(1)));
        assert_eq!((kept.found.path.len(), plain.found.path.as_str()), (10_000, "/')"));
    }
}
