//! Devices and rules by chance. Values come from small pools, so that they meet.

use guardhouse_model::dynamic_groups::{
    Address, AddressRange, Age, AttributeFacts, Choice, Comparison, Component, Condition, Flag, Folded,
    Number, Pattern, Rule, Seen, Text, TextAttribute, TextTest, Version, VersionAttribute, VersionKey,
    VersionTest,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Devices, rules and the time.
#[derive(Debug, Clone)]
pub struct House {
    pub devices: Vec<Inmate>,
    pub rules: Vec<Rule>,
    pub now: u8,
}

/// A device.
#[derive(Debug, Clone)]
pub struct Inmate {
    pub display_name: String,
    pub original_display_name: String,
    pub enrolment_status: i32,
    pub functionality_status: i32,
    pub problem_count: u32,
    pub is_muted: bool,
    pub last_seen: Option<u8>,
    pub facts: AttributeFacts,
}

/// Texts in which a database could see something else, or another order.
const TEXTS: [&str; 14] = [
    "web",
    "WEB",
    "web-1",
    "Web%",
    "w_b",
    "äpfel",
    "ÄPFEL",
    "straße",
    "STRASSE",
    "ΟΔΟΣ",
    "a\\b",
    "'; --",
    "\u{1F600}x",
    "İ",
];
const VERSIONS: [&str; 12] = [
    "",
    "1",
    "1.2",
    "1.2.0",
    "1.10",
    "1.2~rc1",
    "1.2-beta",
    "1.2a",
    "10.0.19045",
    "0",
    "v2",
    "255.256.65536",
];
const ADDRESSES: [&str; 8] =
    ["", "no address", "10.1.2.3", "10.255.255.255", "192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "::"];
const PATTERNS: [&str; 10] =
    ["^web", "b$", r"\d", "^(äpfel|straße)$", "[^a-z]", "WEB-?1?", r"^\w+$", "o.o", ".", "x*"];

pub fn houses() -> impl Strategy<Value = House> {
    (vec(inmates(), 1..30), vec(rules(), 4..16), any::<u8>()).prop_map(|(devices, rules, now)| House {
        devices,
        rules,
        now,
    })
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(&TEXTS[..]).prop_map(str::to_owned),
        1 => Just(String::new()),
        // PostgreSQL keeps no NUL; names with one never get here.
        2 => "[^\\x00]{0,6}",
    ]
}

fn inmates() -> impl Strategy<Value = Inmate> {
    let own = (texts(), texts(), 0..4_i32, 0..4_i32, 0..5_u32, any::<bool>(), option::of(any::<u8>()));
    (own, facts()).prop_map(
        |((display, original, enrolment, functionality, problems, is_muted, last_seen), facts)| Inmate {
            display_name: display,
            original_display_name: original,
            enrolment_status: enrolment,
            functionality_status: functionality,
            problem_count: problems,
            is_muted,
            last_seen,
            facts,
        },
    )
}

fn facts() -> impl Strategy<Value = AttributeFacts> {
    let component = (texts(), select(&VERSIONS[..])).prop_map(|(name, version)| Component {
        name: Folded::new(&name),
        version: VersionKey::new(version),
    });
    let system = (any::<String>(), texts(), any::<bool>(), 0..8_u32, 0..5_u32, select(&VERSIONS[..]));
    let rest = (select(&VERSIONS[..]), select(&ADDRESSES[..]), 0..15_i32, any::<bool>(), any::<bool>());
    (system, rest, vec(component, 0..4)).prop_map(
        |((any, text, odd, family, edition, version), (agent, address, kind, mobile, master), components)| {
            AttributeFacts {
                operating_system: Folded::new(if odd { &any } else { &text }),
                operating_system_family: family,
                operating_system_edition: edition,
                operating_system_version: VersionKey::new(version),
                agent_version: VersionKey::new(agent),
                primary_address: Address::new(address),
                device_type: kind,
                is_mobile: mobile,
                is_master: master,
                components,
            }
        },
    )
}

fn rules() -> impl Strategy<Value = Rule> {
    conditions().prop_map(Rule::Condition).prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Rule::All),
            vec(inner.clone(), 0..4).prop_map(Rule::Any),
            inner.prop_map(|rule| Rule::Not(Box::new(rule))),
        ]
    })
}

fn conditions() -> impl Strategy<Value = Condition> {
    use {TextAttribute as T, VersionAttribute as V};
    let text_attributes =
        select(&[T::DisplayName, T::OriginalDisplayName, T::OperatingSystem, T::Component][..]);
    let version_attributes =
        prop_oneof![Just(V::OperatingSystem), Just(V::Agent), written().prop_map(V::Component),];
    let choices = select(
        &[
            Choice::OperatingSystemFamily,
            Choice::OperatingSystemEdition,
            Choice::DeviceType,
            Choice::EnrolmentStatus,
            Choice::FunctionalityStatus,
        ][..],
    );
    let flags = select(&[Flag::Muted, Flag::Mobile, Flag::Master][..]);
    prop_oneof![
        5 => (text_attributes, text_tests())
            .prop_map(|(attribute, test)| Condition::Text { attribute, test }),
        4 => (version_attributes, version_tests())
            .prop_map(|(attribute, test)| Condition::Version { attribute, test }),
        2 => vec(ranges(), 0..3).prop_map(Condition::Address),
        2 => (choices, vec(1..8_i32, 0..3))
            .prop_map(|(attribute, values)| Condition::Choice { attribute, values }),
        1 => (flags, any::<bool>()).prop_map(|(attribute, value)| Condition::Flag { attribute, value }),
        1 => (comparisons(), 0..5_u32).prop_map(|(comparison, value)| Condition::Number {
            attribute: Number::ProblemCount,
            comparison,
            value
        }),
        2 => seen().prop_map(Condition::Seen),
    ]
}

/// A text as a condition has it: a part of a known one, or anything.
fn written() -> impl Strategy<Value = Text> {
    let part = (select(&TEXTS[..]), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let part = part.prop_map(|(text, from, to)| {
        let letters: Vec<char> = text.chars().collect();
        let (one, other) = (from.index(letters.len()), to.index(letters.len()));
        letters[one.min(other)..=one.max(other)].iter().collect::<String>()
    });
    prop_oneof![select(&TEXTS[..]).prop_map(str::to_owned), part, any::<String>()]
        .prop_filter_map("a text that a rule may have", |text| Text::new(&text).ok())
}

fn text_tests() -> impl Strategy<Value = TextTest> {
    prop_oneof![
        1 => Just(TextTest::Known),
        2 => vec(written(), 0..4).prop_map(TextTest::OneOf),
        2 => written().prop_map(TextTest::Contains),
        2 => written().prop_map(TextTest::StartsWith),
        2 => written().prop_map(TextTest::EndsWith),
        2 => select(&PATTERNS[..])
            .prop_map(|pattern| TextTest::Matches(Pattern::new(pattern).expect("is good"))),
    ]
}

fn version_tests() -> impl Strategy<Value = VersionTest> {
    let versions = || select(&VERSIONS[1..]).prop_map(|version| Version::new(version).expect("is good"));
    prop_oneof![
        1 => Just(VersionTest::Known),
        2 => vec(versions(), 0..3).prop_map(VersionTest::OneOf),
        4 => (comparisons(), versions())
            .prop_map(|(comparison, version)| VersionTest::Compares(comparison, version)),
    ]
}

fn comparisons() -> impl Strategy<Value = Comparison> {
    use Comparison as C;
    select(&[C::Equal, C::Less, C::LessOrEqual, C::Greater, C::GreaterOrEqual][..])
}

fn ranges() -> impl Strategy<Value = AddressRange> {
    let networks = ["10.0.0.0/8", "10.1.2.0/24", "0.0.0.0/0", "::/0", "2001:db8::/32", "192.0.2.7/32"];
    let compare = [
        AddressRange::one,
        AddressRange::below,
        AddressRange::at_most,
        AddressRange::above,
        AddressRange::at_least,
    ];
    prop_oneof![
        select(networks.to_vec()).prop_map(|network| AddressRange::network(network).expect("is good")),
        (select(compare.to_vec()), select(&ADDRESSES[2..7]))
            .prop_map(|(compare, address)| compare(address).expect("is good")),
    ]
}

fn seen() -> impl Strategy<Value = Seen> {
    let age = || (1..200_u32).prop_map(|seconds| Age::try_from(seconds).expect("in range"));
    prop_oneof![Just(Seen::Ever), age().prop_map(Seen::Within), age().prop_map(Seen::NotFor)]
}
