use proptest::prelude::*;

use super::*;

fn machine(uuid: u8, serial_number: u8, boot: u8) -> Machine {
    let digest = |number: u8| (number > 0).then_some([number; 32]);
    Machine { uuid: digest(uuid), serial_number: digest(serial_number), boot: digest(boot) }
}

fn known(said: Machine, earlier: &[u8]) -> KnownMachine {
    KnownMachine { machine: said, earlier_boots: earlier.iter().map(|boot| [*boot; 32]).collect() }
}

#[test]
fn firmware_tells_machines_apart() {
    let table = [
        ((1, 2), (1, 2), Likeness::Same),
        ((1, 0), (1, 2), Likeness::Same),
        ((0, 2), (1, 2), Likeness::Same),
        ((1, 2), (1, 3), Likeness::Other),
        ((1, 2), (3, 2), Likeness::Other),
        ((1, 0), (3, 2), Likeness::Other),
        ((1, 0), (0, 2), Likeness::Unknown),
        ((0, 0), (0, 0), Likeness::Unknown),
        ((0, 0), (1, 2), Likeness::Unknown),
    ];
    for (this, that, expected) in table {
        let (this, that) = (machine(this.0, this.1, 1), machine(that.0, that.1, 2));
        assert_eq!((this.likeness(&that), that.likeness(&this)), (expected, expected), "{this:?} {that:?}");
    }
}

#[test]
fn a_machine_that_starts_anew_is_the_device() {
    let first = meet(None, &machine(1, 2, 3), &[]);
    assert_eq!(first, Meeting::Device(known(machine(1, 2, 3), &[])));
    let table = [
        // It is still the same life, or not told.
        (machine(1, 2, 3), known(machine(1, 2, 3), &[9])),
        (machine(1, 2, 0), known(machine(1, 2, 3), &[9])),
        // Another start.
        (machine(1, 2, 4), known(machine(1, 2, 4), &[3, 9])),
        // An agent that may not read the firmware says less; what is known stays.
        (machine(0, 0, 4), known(machine(1, 2, 4), &[3, 9])),
    ];
    for (said, kept) in table {
        let met = meet(Some(&known(machine(1, 2, 3), &[9])), &said, &[]);
        assert_eq!(met, Meeting::Device(kept), "{said:?}");
    }
    let met = meet(Some(&known(machine(0, 0, 3), &[])), &machine(1, 2, 3), &[]);
    assert_eq!(met, Meeting::Device(known(machine(1, 2, 3), &[])), "it says more than before");
}

#[test]
fn other_firmware_is_another_machine_until_somebody_decides() {
    let device = known(machine(1, 2, 3), &[]);
    let other = machine(5, 6, 7);
    assert_eq!(meet(Some(&device), &other, &[]), Meeting::Newcomer);
    let newcomer = |is_another| Newcomer { machine: other, boots: vec![[7; 32]], is_another };
    assert_eq!(meet(Some(&device), &other, &[newcomer(false)]), Meeting::Newcomer);
    assert_eq!(meet(Some(&device), &other, &[newcomer(true)]), Meeting::Another(0));
    assert_eq!(
        meet(Some(&device), &machine(5, 6, 8), &[newcomer(true)]),
        Meeting::Another(0),
        "started anew"
    );
    assert_eq!(meet(Some(&device), &machine(8, 9, 8), &[newcomer(true)]), Meeting::Newcomer, "a third one");
    assert!(matches!(meet(Some(&device), &machine(1, 2, 3), &[newcomer(true)]), Meeting::Device(_)));
}

#[test]
fn of_two_lives_that_take_turns_the_earlier_is_the_device() {
    let (first, copy) = (machine(1, 2, 3), machine(1, 2, 4));
    let Meeting::Device(after_copy) = meet(Some(&known(first, &[])), &copy, &[]) else {
        panic!("a restart, as far as anybody can tell")
    };
    let returned = meet(Some(&after_copy), &first, &[]);
    assert_eq!(returned, Meeting::Returned { known: known(first, &[]), other: [4; 32] });
    let question = Newcomer { machine: copy, boots: vec![[4; 32]], is_another: false };
    let device = known(first, &[]);
    assert_eq!(meet(Some(&device), &copy, std::slice::from_ref(&question)), Meeting::Newcomer);
    let decided = Newcomer { is_another: true, ..question };
    assert_eq!(meet(Some(&device), &copy, std::slice::from_ref(&decided)), Meeting::Another(0));
    // The device itself may start anew meanwhile.
    assert!(matches!(meet(Some(&device), &machine(1, 2, 5), &[decided]), Meeting::Device(_)));
}

#[test]
fn a_newcomers_starts_are_bounded() {
    let mut newcomer = Newcomer::default();
    for boot in 0..40 {
        newcomer.note([boot; 32]);
        newcomer.note([boot; 32]);
    }
    let expected: Vec<Digest> = (24..40).map(|boot| [boot; 32]).collect();
    assert_eq!(newcomer.boots, expected);
}

const NOW: i64 = 1_700_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("in range")
}

/// A device that was in contact so many seconds ago.
fn candidate(machine: Machine, host_name: &str, seconds_ago: i64) -> Candidate {
    Candidate {
        machine,
        host_name: host_name.to_owned(),
        is_managed: true,
        last_contact: Timestamp::from_second(NOW - seconds_ago).ok(),
    }
}

#[test]
fn a_machine_that_was_installed_anew_takes_its_device_over() {
    let host = machine(1, 2, 9);
    let away = |machine, name| candidate(machine, name, 600);
    let retired = Candidate { is_managed: false, ..candidate(machine(1, 2, 3), "x", 0) };
    let never = Candidate { last_contact: None, ..candidate(machine(1, 2, 3), "x", 0) };
    let table: [(&str, Vec<Candidate>, Claim); 13] = [
        ("nobody there", vec![], Claim::Nobody),
        ("equal", vec![away(machine(1, 2, 3), "x")], Claim::TakeOver(0)),
        ("only the uuid is known", vec![away(machine(1, 0, 3), "x")], Claim::TakeOver(0)),
        ("another serial number", vec![away(machine(1, 3, 3), "x")], Claim::Nobody),
        ("another uuid", vec![away(machine(2, 2, 3), "x")], Claim::Nobody),
        ("nothing known", vec![away(machine(0, 0, 3), "web")], Claim::Nobody),
        ("at work", vec![candidate(machine(1, 2, 3), "x", 100)], Claim::InUse(0)),
        ("at work in a life that is not told", vec![candidate(machine(1, 2, 0), "x", 100)], Claim::InUse(0)),
        ("the same life", vec![candidate(machine(1, 2, 9), "x", 1)], Claim::TakeOver(0)),
        ("retired", vec![retired], Claim::TakeOver(0)),
        ("never in contact", vec![never], Claim::TakeOver(0)),
        ("two copies", vec![away(machine(1, 2, 3), "x"), away(machine(1, 2, 4), "y")], Claim::Nobody),
        (
            "two copies, one of this name",
            vec![candidate(machine(1, 2, 3), "x", 1), away(machine(1, 2, 4), "WEB")],
            Claim::TakeOver(1),
        ),
    ];
    for (case, candidates, expected) in table {
        assert_eq!(claim(&candidates, &host, "web", now()), expected, "{case}");
    }
    assert_eq!(
        claim(&[candidate(machine(1, 2, 3), "x", -5)], &host, "web", now()),
        Claim::InUse(0),
        "a clock went back"
    );
}

fn machines() -> impl Strategy<Value = Machine> {
    (0..3_u8, 0..3_u8, 0..6_u8).prop_map(|(uuid, serial_number, boot)| machine(uuid, serial_number, boot))
}

proptest! {
    #[test]
    fn a_device_that_only_starts_anew_is_never_asked_about(starts in 1..40_u8) {
        let mut kept = None;
        for boot in 1..=starts {
            for _ in 0..2 {
                let Meeting::Device(known) = meet(kept.as_ref(), &machine(1, 2, boot), &[]) else {
                    panic!("start {boot}");
                };
                prop_assert!(known.earlier_boots.len() <= EARLIER_STARTS);
                kept = Some(known);
            }
        }
    }

    #[test]
    fn whoever_is_the_device_stays_it_until_somebody_else_comes(said in prop::collection::vec(machines(), 1..12)) {
        let mut kept: Option<KnownMachine> = None;
        for said in said {
            if let Meeting::Device(known) | Meeting::Returned { known, .. } = meet(kept.as_ref(), &said, &[]) {
                prop_assert_eq!(meet(Some(&known), &said, &[]), Meeting::Device(known.clone()));
                kept = Some(known);
            }
        }
    }
}
