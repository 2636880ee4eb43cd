use proptest::prelude::*;

use super::*;

fn path(text: &str) -> SettingPath {
    text.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>().into()
}

fn set(at: &str, value: u8) -> Setting<u8> {
    Setting { path: path(at), value: SettingValue::Whole(value), force: false, read_only: false }
}

fn list(at: &str, merge: ListMerge, elements: &[u8]) -> Setting<u8> {
    let value = SettingValue::List { elements: elements.to_vec(), merge };
    Setting { path: path(at), value, force: false, read_only: false }
}

fn forced(setting: Setting<u8>) -> Setting<u8> {
    Setting { force: true, ..setting }
}

fn read_only(setting: Setting<u8>) -> Setting<u8> {
    Setting { read_only: true, ..setting }
}

/// A merged setting without its history.
type Plain = (String, Vec<u8>, bool, bool);

fn merged(policies: &[Vec<Setting<u8>>]) -> Vec<Merged<'_, u8>> {
    merge(policies.iter().map(Vec::as_slice).enumerate())
}

/// Path, value, force and read-only flag of what `policies` lead to.
fn plain(policies: &[Vec<Setting<u8>>]) -> Vec<Plain> {
    let plain = |merged: &Merged<'_, u8>| {
        let value = match merged.value() {
            MergedValue::Whole(value) => vec![*value],
            MergedValue::List(elements) => elements.into_iter().copied().collect(),
        };
        (merged.path().to_string(), value, merged.forced(), merged.read_only())
    };
    merged(policies).iter().map(plain).collect()
}

/// Source, path and fate of everything that was said about the only setting that is left.
fn history(policies: &[Vec<Setting<u8>>]) -> Vec<(usize, String, Fate)> {
    let merged = merged(policies);
    assert_eq!(merged.len(), 1, "{merged:?}");
    let of = |said: &Contribution<'_, u8>| (said.source, said.setting.path.to_string(), said.fate);
    merged[0].history().iter().map(of).collect()
}

/// What a rule says, the settings of one policy after the other, and what they lead to: value, force, read-only.
type Rule<'a> = (&'a str, &'a [Setting<u8>], &'a [u8], bool, bool);

fn hold(rules: &[Rule<'_>]) {
    for (rule, policies, value, is_forced, is_read_only) in rules {
        let policies: Vec<_> = policies.iter().map(|setting| vec![setting.clone()]).collect();
        let expected = ("a".to_owned(), value.to_vec(), *is_forced, *is_read_only);
        assert_eq!(plain(&policies), [expected], "{rule}");
    }
}

#[test]
fn rules_of_values() {
    let [one, two, three] = [1, 2, 3].map(|value| set("a", value));
    let f = |setting: &Setting<u8>| forced(setting.clone());
    let r = |setting: &Setting<u8>| read_only(setting.clone());
    hold(&[
        ("a setting alone", std::slice::from_ref(&one), &[1], false, false),
        ("later overrides earlier", &[one.clone(), two.clone(), three.clone()], &[3], false, false),
        ("force stays", &[f(&one), two.clone()], &[1], true, false),
        ("the first force wins", &[f(&one), f(&two)], &[1], true, false),
        ("force overrides what is before it", &[one.clone(), f(&two), three.clone()], &[2], true, false),
        ("read-only comes with the value", &[one.clone(), r(&two)], &[2], false, true),
        ("and goes with it", &[r(&one), two.clone()], &[2], false, false),
        ("what is ignored locks nothing", &[f(&one), r(&two)], &[1], true, false),
        ("read-only is not force", &[r(&one), f(&two)], &[2], true, false),
    ]);
}

#[test]
fn rules_of_lists() {
    let replace = |elements: &[u8]| list("a", ListMerge::Replace, elements);
    let append = |elements: &[u8]| list("a", ListMerge::Append, elements);
    let prepend = |elements: &[u8]| list("a", ListMerge::Prepend, elements);
    hold(&[
        ("replaces", &[append(&[1]), replace(&[2])], &[2], false, false),
        ("also with nothing", &[append(&[1]), replace(&[])], &[], false, false),
        ("appends", &[replace(&[1, 2]), append(&[3, 4])], &[1, 2, 3, 4], false, false),
        ("prepends", &[replace(&[1, 2]), prepend(&[3, 4])], &[3, 4, 1, 2], false, false),
        ("to nothing", &[prepend(&[1, 2]), prepend(&[3]), append(&[4])], &[3, 1, 2, 4], false, false),
        ("force stays", &[forced(replace(&[1])), append(&[2]), prepend(&[3])], &[1], true, false),
        (
            "force adds to what is there, and then it stays",
            &[replace(&[1]), forced(append(&[2])), append(&[3]), forced(prepend(&[4]))],
            &[1, 2],
            true,
            false,
        ),
        ("locked by any that contributed", &[read_only(replace(&[1])), append(&[2])], &[1, 2], false, true),
        ("not by what was replaced", &[read_only(append(&[1])), replace(&[2])], &[2], false, false),
        ("adds nothing to a value", &[set("a", 1), append(&[2])], &[2], false, false),
        ("is no more than a value to a value", &[append(&[2]), set("a", 1)], &[1], false, false),
    ]);
}

#[test]
fn what_lies_below_a_setting_cannot_stand_beside_it() {
    let apart = |policies: &[Vec<Setting<u8>>]| -> Vec<String> {
        plain(policies).into_iter().map(|(path, value, ..)| format!("{path}={value:?}")).collect()
    };
    let inner = || vec![set("a.b", 1), set("a.c.d", 2), set("ab", 3)];
    assert_eq!(apart(&[inner()]), ["a.b=[1]", "a.c.d=[2]", "ab=[3]"]);
    assert_eq!(apart(&[inner(), vec![set("a", 4)]]), ["a=[4]", "ab=[3]"], "the outer one comes later");
    assert_eq!(apart(&[vec![set("a", 4)], inner()]), ["a.b=[1]", "a.c.d=[2]", "ab=[3]"], "or earlier");
    assert_eq!(apart(&[vec![forced(set("a", 4))], inner()]), ["a=[4]", "ab=[3]"], "with force");
    let inner_force = vec![set("a.b", 1), forced(set("a.c.d", 2))];
    assert_eq!(apart(&[inner_force, vec![forced(set("a", 4))]]), ["a.b=[1]", "a.c.d=[2]"], "force below it");
    assert_eq!(apart(&[inner(), vec![set("", 5)]]), ["=[5]"], "the whole configuration");
    assert_eq!(apart(&[vec![forced(set("", 5))], inner()]), ["=[5]"]);
}

#[test]
fn the_history_tells_everything() {
    use Fate::{Ignored, InForce, Overridden};
    let at = |source, fate| (source, "a".to_owned(), fate);
    let stack = [
        vec![set("a", 1)],
        vec![],
        vec![set("a", 2)],
        vec![forced(set("a", 3))],
        vec![set("a", 4)],
        vec![forced(set("a", 5))],
    ];
    assert_eq!(
        history(&stack),
        [
            at(0, Overridden { by: 2 }),
            at(2, Overridden { by: 3 }),
            at(3, InForce),
            at(4, Ignored { forced_by: 3 }),
            at(5, Ignored { forced_by: 3 }),
        ]
    );
    let lists = [
        vec![list("a", ListMerge::Replace, &[1])],
        vec![list("a", ListMerge::Replace, &[2])],
        vec![list("a", ListMerge::Append, &[3])],
    ];
    assert_eq!(history(&lists), [at(0, Overridden { by: 1 }), at(1, InForce), at(2, InForce)]);
    let below = [vec![set("a.b", 1), set("a.c", 2)], vec![forced(set("a", 3))], vec![set("a.b", 4)]];
    assert_eq!(
        history(&below),
        [
            (0, "a.b".to_owned(), Overridden { by: 1 }),
            (0, "a.c".to_owned(), Overridden { by: 1 }),
            at(1, InForce),
            (2, "a.b".to_owned(), Ignored { forced_by: 1 }),
        ]
    );
}

/// Settings of one policy: none lies at or below the path of another.
fn policy() -> impl Strategy<Value = Vec<Setting<u8>>> {
    let merge = prop_oneof![Just(ListMerge::Replace), Just(ListMerge::Append), Just(ListMerge::Prepend)];
    let elements = prop::collection::vec(any::<u8>(), 0..3);
    let value = prop_oneof![
        any::<u8>().prop_map(SettingValue::Whole),
        (elements, merge).prop_map(|(elements, merge)| SettingValue::List { elements, merge }),
    ];
    let names = prop::collection::vec(prop::sample::select(vec!["a".to_owned(), "b".to_owned()]), 1..4);
    let setting = (names, value, prop::bool::weighted(0.2), any::<bool>())
        .prop_map(|(names, value, force, read_only)| Setting { path: names.into(), value, force, read_only });
    prop::collection::vec(setting, 0..6).prop_map(|settings| {
        let mut kept: Vec<Setting<u8>> = Vec::new();
        for setting in settings {
            let touches = |other: &Setting<u8>| {
                setting.path.is_within(&other.path) || other.path.is_within(&setting.path)
            };
            if !kept.iter().any(touches) {
                kept.push(setting);
            }
        }
        kept
    })
}

fn policies() -> impl Strategy<Value = Vec<Vec<Setting<u8>>>> {
    prop::collection::vec(policy(), 0..7)
}

/// What a list becomes by the rules, one policy after the other.
fn naive_list(stack: &[Vec<Setting<u8>>]) -> Option<Vec<u8>> {
    let mut present: Option<Vec<u8>> = None;
    for setting in stack.iter().flatten() {
        let SettingValue::List { elements, merge } = &setting.value else { unreachable!("only lists") };
        let before = present.unwrap_or_default();
        present = Some(match merge {
            ListMerge::Replace => elements.clone(),
            ListMerge::Append => [before.as_slice(), elements].concat(),
            ListMerge::Prepend => [elements, before.as_slice()].concat(),
        });
        if setting.force {
            break;
        }
    }
    present
}

proptest! {
    #[test]
    fn force_is_not_touched_by_what_comes_later(stack in policies(), later in policies()) {
        let before = plain(&stack);
        let after = plain(&[stack, later].concat());
        for setting in before.iter().filter(|(.., is_forced, _)| *is_forced) {
            prop_assert!(after.contains(setting), "{setting:?} in {after:?}");
        }
    }

    #[test]
    fn policies_that_say_nothing_change_nothing(stack in policies(), place in any::<prop::sample::Index>()) {
        let mut with_empty = stack.clone();
        with_empty.insert(place.index(stack.len() + 1), Vec::new());
        prop_assert_eq!(plain(&with_empty), plain(&stack));
    }

    #[test]
    fn a_policy_can_be_split_and_shuffled(
        (before, policy, after) in (policies(), policy().prop_shuffle(), policies()),
        cut in any::<prop::sample::Index>(),
        reverse in any::<bool>(),
    ) {
        let whole = plain(&[before.clone(), vec![policy.clone()], after.clone()].concat());
        let (first, second) = policy.split_at(cut.index(policy.len() + 1));
        let mut halves = vec![first.to_vec(), second.to_vec()];
        if reverse {
            halves.reverse();
        }
        prop_assert_eq!(plain(&[before, halves, after].concat()), whole);
    }

    #[test]
    fn what_is_merged_fits_into_one_policy(stack in policies()) {
        let result = merged(&stack);
        for (index, one) in result.iter().enumerate() {
            for other in &result[index + 1..] {
                prop_assert!(!other.path().is_within(one.path()) && !one.path().is_within(other.path()));
                prop_assert!(one.path() < other.path());
            }
        }
    }

    #[test]
    fn the_last_policy_has_its_way_unless_force_stands_against_it(stack in policies(), last in policy()) {
        let before = plain(&stack);
        let after = plain(&[stack, vec![last.clone()]].concat());
        for setting in last {
            let SettingValue::Whole(value) = setting.value else { continue };
            let against = before.iter().any(|(other, _, is_forced, _)| {
                let other = path(other);
                *is_forced && (other.is_within(&setting.path) || setting.path.is_within(&other))
            });
            let expected = (setting.path.to_string(), vec![value], setting.force, setting.read_only);
            prop_assert_eq!(after.contains(&expected) || against, true, "{:?}", expected);
        }
    }

    #[test]
    fn the_history_accounts_for_every_setting_of_the_last_word(stack in policies()) {
        for setting in merged(&stack) {
            let sources: Vec<_> = setting.history().iter().map(|said| said.source).collect();
            prop_assert!(sources.is_sorted(), "in the order of the merge: {sources:?}");
            let in_force = setting.history().iter().filter(|said| said.fate == Fate::InForce);
            prop_assert!(in_force.clone().count() > 0);
            for said in in_force {
                prop_assert_eq!(&said.setting.path, setting.path());
            }
        }
    }

    #[test]
    fn lists_are_what_a_naive_model_says(stack in policies()) {
        let lists: Vec<Vec<_>> = stack
            .into_iter()
            .map(|policy| {
                let lists = policy.into_iter().filter(|setting| matches!(setting.value, SettingValue::List { .. }));
                lists.take(1).map(|setting| Setting { path: path("a"), ..setting }).collect()
            })
            .collect();
        let found = plain(&lists).pop().map(|(_, elements, ..)| elements);
        prop_assert_eq!(found, naive_list(&lists));
    }
}
