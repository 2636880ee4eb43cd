use guardhouse_model::agentless::{Handling, MaliciousLevel, MaliciousOperation, MaliciousType, TaskStatus};
use guardhouse_store::{
    AgentlessResult, AgentlessTaskFilter, Likeness, MaliciousFile, MaliciousFileFilter, MaliciousNoteAdded,
    MaliciousRuleChange, NewMaliciousFile, PageNumber, Store, SubtaskEnd, SubtaskOutcome,
};

use crate::{
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

const ASSETS: [&str; 6] = ["s-1", "s-2", "s-3", "s-4", "s-5", "s-6"];
const ALL: PageNumber = PageNumber { skip: 0, size: 100 };

fn file(md5: &str) -> NewMaliciousFile {
    NewMaliciousFile {
        md5: md5.to_owned(),
        sha256: md5.to_owned(),
        path: format!("/{md5}"),
        partition: String::new(),
        name: "Trojan".to_owned(),
        kind: MaliciousType::Software,
        level: MaliciousLevel::Serious,
        highlight: String::new(),
        details: String::new(),
    }
}

/// Scans of all assets that end at this moment, each with both files.
async fn ends(a: &Arena, second: i64) -> Vec<impl Future<Output = ()> + Send + use<>> {
    a.scan(&ASSETS, second).await;
    let leased = a.take(ASSETS.len(), second).await;
    let end = |(n, lease)| {
        let malicious_files = vec![file("aa"), file("bb")];
        let result = AgentlessResult { expire_time: at(1_000_000), malicious_files, ..Default::default() };
        let outcome = SubtaskOutcome::Done(result);
        let (store, end) =
            (a.replica(n), SubtaskEnd { lease, now: at(second + 1), outcome, measure_bytes: 0 });
        async move { assert!(store.agentless_subtask_end(end).await.expect("writes")) }
    };
    leased.into_iter().map(|leased| leased.lease).enumerate().map(end).collect()
}

async fn files(a: &Arena) -> Vec<MaliciousFile> {
    a.store.agentless_malicious_files_list(MaliciousFileFilter::default(), ALL).await.expect("reads").rows
}

async fn counted(a: &Arena) -> u64 {
    a.store.agentless_results_count(None, None, at(0)).await.expect("reads").malicious
}

async fn make_rule(store: Store, md5: &str) -> i64 {
    let changes = vec![MaliciousRuleChange { id: None, md5: Some(md5.to_owned()), ..Default::default() }];
    let made = store.agentless_malicious_rules_change(changes, at(9)).await.expect("writes");
    made.expect("nothing is in the way")[0].id
}

/// Whoever takes content for good while scans end misses none of their files.
pub async fn what_is_found_meanwhile_is_taken_for_good(a: &Arena) {
    for round in 0..ROUNDS {
        let second = i64::try_from(round).expect("few") * 10;
        let ends = ends(a, second).await;
        let (one, other) = (a.replica(round), a.replica(round + 1));
        let (_, aa, bb) = tokio::join!(at_once(ends), make_rule(one, "aa"), make_rule(other, "bb"));
        let found = files(a).await;
        assert_eq!(found.len(), 2 * ASSETS.len());
        for file in &found {
            assert_eq!(file.handling, Handling::Whitelisted, "{file:?}");
        }
        assert_eq!(counted(a).await, 0);
        let removed = a.store.agentless_malicious_rules_remove(vec![aa, bb], at(9)).await;
        assert_eq!(removed.expect("writes"), [0_i64; 0]);
        assert_eq!(counted(a).await, found.len() as u64);
    }
}

/// People, scans that end, and tasks that are deleted do not wait for each other for ever, and what is counted is there.
pub async fn what_is_handled_meanwhile_is_counted(a: &Arena) {
    at_once(ends(a, 0).await).await;
    for round in 1..=ROUNDS {
        let second = i64::try_from(round).expect("few") * 10;
        let older = AgentlessTaskFilter { statuses: vec![TaskStatus::Done], ..Default::default() };
        let older = a.store.agentless_tasks_list(older, ALL).await.expect("reads").rows;
        let ends = ends(a, second).await;
        let found = files(a).await;
        let handling = (0..6).map(|n| {
            let (store, id) = (a.replica(n), found[n].id);
            let operation = MaliciousOperation::ALL[(n + round) % MaliciousOperation::ALL.len()];
            async move {
                let likeness = if n % 2 == 0 { Likeness::Type } else { Likeness::Md5 };
                // The file may have gone with its task.
                let done = store.agentless_malicious_files_handle_like(id, likeness, None, operation, at(9));
                done.await.expect("writes");
            }
        });
        let deleting = older.into_iter().map(|task| task.id).enumerate().map(|(n, task)| {
            let store = a.replica(n);
            async move {
                store.agentless_task_delete(task).await.expect("writes");
            }
        });
        tokio::join!(at_once(ends), at_once(handling), at_once(deleting));
        let open = files(a).await.iter().filter(|file| file.handling == Handling::Open).count();
        assert_eq!(counted(a).await, open as u64);
    }
}

pub async fn there_are_never_too_many_notes(a: &Arena) {
    at_once(ends(a, 0).await).await;
    let id = files(a).await[0].id;
    let most = Store::AGENTLESS_MALICIOUS_NOTES;
    let adding = (0..most + 10).map(|n| {
        let store = a.replica(n);
        async move { store.agentless_malicious_note_add(id, n.to_string(), at(1)).await.expect("writes") }
    });
    let answers = at_once(adding).await;
    let added = answers.iter().filter(|answer| **answer == MaliciousNoteAdded::Added).count();
    let notes = files(a).await.into_iter().find(|file| file.id == id).expect("is there").notes;
    assert_eq!((added, notes.len()), (most, most));
}
