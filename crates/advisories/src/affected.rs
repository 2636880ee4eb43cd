//! Which versions of a package an advisory is about, evaluated as the OSV specification says.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::Severity;

/// What an advisory says of one package in one ecosystem. Its serialised form is what the store keeps per package, so
/// the names in it are short.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Affected {
    /// Stretches of versions: affected is what any of them holds.
    #[serde(rename = "r", skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Vec<Event>>,
    /// Versions that are affected whatever the ranges say.
    #[serde(rename = "v", skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// How bad it is for this package, where that differs from the whole advisory.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Set where only rpms of a module are meant: its name and stream (`nodejs:18`), or empty when those are not told.
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// What the source says on how it is dealt with: `no DSA: Minor issue`.
    #[serde(rename = "n", skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Where a range begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// This version is affected, and those after it; `0` is before every version.
    #[serde(rename = "i")]
    Introduced(String),
    /// This version is not affected any more, and neither are those after it.
    #[serde(rename = "f")]
    Fixed(String),
    /// This version is the last one that is affected.
    #[serde(rename = "l")]
    LastAffected(String),
    /// Versions from here on are not spoken of.
    #[serde(rename = "m")]
    Limit(String),
}

impl Event {
    /// Where it is.
    #[must_use]
    pub fn version(&self) -> &str {
        let (Self::Introduced(version)
        | Self::Fixed(version)
        | Self::LastAffected(version)
        | Self::Limit(version)) = self;
        version
    }
}

impl Affected {
    /// Everything below `fixed`, or everything there is.
    #[must_use]
    pub fn below(fixed: Option<&str>) -> Self {
        let begin = Event::Introduced("0".to_owned());
        let end = fixed.map(|version| Event::Fixed(version.to_owned()));
        Self { ranges: vec![[begin].into_iter().chain(end).collect()], ..Self::default() }
    }

    /// Whether `version` is affected, by the order of versions that `order` is.
    ///
    /// # Errors
    /// Those of `order`.
    pub fn holds<E>(
        &self,
        version: &str,
        order: &impl Fn(&str, &str) -> Result<Ordering, E>,
    ) -> Result<bool, E> {
        if self.versions.iter().any(|affected| affected == version) {
            return Ok(true);
        }
        for range in &self.ranges {
            if range_holds(range, version, order)? {
                return Ok(true);
            }
        }
        // `1.0` is `1.0.0` to some tools. Beside ranges there are long lists, which the ranges cover anyway.
        // One of them that is no version equals nothing but itself.
        let equal = |affected: &String| order(affected, version).is_ok_and(Ordering::is_eq);
        Ok(self.ranges.is_empty() && self.versions.iter().any(equal))
    }

    /// The lowest version above `version` that is named as a fix and is not itself affected.
    ///
    /// # Errors
    /// Those of `order`.
    pub fn fix<E>(
        &self,
        version: &str,
        order: &impl Fn(&str, &str) -> Result<Ordering, E>,
    ) -> Result<Option<&str>, E> {
        let mut best: Option<&str> = None;
        for event in self.ranges.iter().flatten() {
            let Event::Fixed(fix) = event else { continue };
            let is_better = match best {
                Some(best) => order(fix, best)?.is_lt(),
                None => true,
            };
            if is_better && order(fix, version)?.is_gt() && !self.holds(fix, order)? {
                best = Some(fix);
            }
        }
        Ok(best)
    }

    /// Leaves out the listed versions that the ranges hold anyway: of some sources they are most of the data.
    pub fn compact<E>(&mut self, order: &impl Fn(&str, &str) -> Result<Ordering, E>) {
        let ranges = &self.ranges;
        self.versions.retain(|version| {
            !ranges.iter().any(|range| range_holds(range, version, order).unwrap_or(false))
        });
    }
}

/// The evaluation that the specification gives: the events in the order of their versions switch "affected" on and
/// off, up to the version in question. The last of those that are reached decides.
fn range_holds<E>(
    range: &[Event],
    version: &str,
    order: &impl Fn(&str, &str) -> Result<Ordering, E>,
) -> Result<bool, E> {
    let mut last: Option<(&Event, &str)> = None;
    let mut limits = false;
    let mut within_limits = false;
    for event in range {
        let (at, reached) = match event {
            Event::Introduced(at) => (at, at == "0" || order(at, version)?.is_le()),
            Event::Fixed(at) => (at, order(at, version)?.is_le()),
            Event::LastAffected(at) => (at, order(at, version)?.is_lt()),
            Event::Limit(at) => {
                limits = true;
                within_limits |= at == "*" || order(version, at)?.is_lt();
                continue;
            }
        };
        if !reached {
            continue;
        }
        // Of events at the same version, the one that stands later.
        let follows = match last {
            None => true,
            Some(_) if at == "0" && matches!(event, Event::Introduced(_)) => false,
            Some((Event::Introduced(_), "0")) => true,
            Some((_, before)) => order(at, before)?.is_ge(),
        };
        if follows {
            last = Some((event, at));
        }
    }
    Ok(matches!(last, Some((Event::Introduced(_), _))) && (within_limits || !limits))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn numeric(left: &str, right: &str) -> Result<Ordering, std::num::ParseIntError> {
        Ok(left.parse::<i64>()?.cmp(&right.parse()?))
    }

    fn range(text: &str) -> Vec<Event> {
        let event = |word: &str| {
            let (kind, version) = word.split_at(1);
            let version = version.to_owned();
            match kind {
                "i" => Event::Introduced(version),
                "f" => Event::Fixed(version),
                "l" => Event::LastAffected(version),
                _ => Event::Limit(version),
            }
        };
        text.split_ascii_whitespace().map(event).collect()
    }

    fn affected(ranges: &[&str], versions: &[&str]) -> Affected {
        Affected {
            ranges: ranges.iter().map(|text| range(text)).collect(),
            versions: versions.iter().map(|version| (*version).to_owned()).collect(),
            ..Affected::default()
        }
    }

    #[test]
    fn ranges_hold_what_the_specification_says() {
        for (ranges, versions, held, not_held) in [
            (&["i0 f5"][..], &[][..], &[0, 1, 4][..], &[5, 6][..]),
            (&["i0"], &[], &[0, 9], &[]),
            (&["i3 f5 i7 f9"], &[], &[3, 4, 7, 8], &[2, 5, 6, 9, 10]),
            // The order in which events stand does not matter.
            (&["f9 i7 f5 i3"], &[], &[3, 4, 7, 8], &[2, 5, 6, 9, 10]),
            (&["i3 l5"], &[], &[3, 4, 5], &[2, 6]),
            (&["i4 l4"], &[], &[4], &[3, 5]),
            (&["i0 m5"], &[], &[0, 4], &[5, 6]),
            (&["i0 m3 m5"], &[], &[4], &[5]),
            (&["i0 f7 m*"], &[], &[6], &[7]),
            (&["i1 f3", "i6 f8"], &["4"], &[1, 2, 4, 6, 7], &[0, 3, 5, 8]),
            (&[], &["4", "07"], &[4, 7], &[3]),
            (&["f3"], &[], &[], &[0, 3, 4]),
            (&[""], &[], &[], &[0]),
            (&["i5 f5"], &[], &[], &[4, 5, 6]),
        ] {
            let affected = affected(ranges, versions);
            let holds = |version: &i64| affected.holds(&version.to_string(), &numeric).expect("numbers");
            assert!(held.iter().all(holds), "{ranges:?} {versions:?}");
            assert!(!not_held.iter().any(holds), "{ranges:?} {versions:?}");
        }
    }

    #[test]
    fn a_fix_is_of_the_same_branch_and_is_not_affected_itself() {
        for (ranges, version, fix) in [
            (&["i0 f5"][..], "3", Some("5")),
            (&["i0 f3 i5 f8 i10 f12"], "6", Some("8")),
            (&["i0 f3 i5 f8 i10 f12"], "1", Some("3")),
            (&["i0 f5", "i4 f9"], "2", Some("9")),
            (&["i0 l5"], "3", None),
            (&["i0"], "3", None),
        ] {
            assert_eq!(
                affected(ranges, &[]).fix(version, &numeric).expect("numbers"),
                fix,
                "{ranges:?} {version}"
            );
        }
    }

    #[test]
    fn what_cannot_be_compared_is_an_error() {
        assert!(affected(&["i0 fx"], &[]).holds("3", &numeric).is_err());
        assert!(affected(&["i0 f3"], &[]).holds("x", &numeric).is_err());
    }

    #[test]
    fn versions_that_a_range_holds_are_left_out() {
        let mut list = affected(&["i0 f5"], &["1", "4", "5", "9", "odd"]);
        list.compact(&numeric);
        assert_eq!(list.versions, ["5", "9", "odd"]);
    }

    #[test]
    fn what_is_kept_comes_back() {
        let mut whole = affected(&["i0 f5 l6 m7"], &["9"]);
        whole.severity = Some(Severity::of_word("low"));
        whole.module = Some("nodejs:18".to_owned());
        whole.note = "no DSA".to_owned();
        for one in [whole, Affected::default(), Affected::below(None), Affected::below(Some("1.2"))] {
            let text = serde_json::to_string(&one).expect("serialises");
            assert_eq!(serde_json::from_str::<Affected>(&text).expect("comes back"), one, "{text}");
        }
        assert_eq!(
            serde_json::to_string(&Affected::below(Some("1.2"))).expect("serialises"),
            r#"{"r":[[{"i":"0"},{"f":"1.2"}]]}"#
        );
    }

    /// The specification's pseudocode: sort the events, then walk through them.
    fn naive(events: &[(u8, u32)], version: u32) -> bool {
        let mut sorted: Vec<_> = events.to_vec();
        sorted.sort_by_key(|(_, at)| *at);
        let mut vulnerable = false;
        for (kind, at) in sorted {
            match kind {
                0 if version >= at => vulnerable = true,
                1 if version >= at => vulnerable = false,
                2 if version > at => vulnerable = false,
                _ => {}
            }
        }
        vulnerable
    }

    proptest! {
        #[test]
        fn evaluation_is_that_of_the_specification(
            events in proptest::collection::vec((0_u8..3, 0_u32..12), 0..8),
            version in 0_u32..13,
        ) {
            let order = |left: &str, right: &str| {
                let number = |text: &str| text.parse::<u32>().expect("a number");
                Ok::<_, Infallible>(number(left).cmp(&number(right)))
            };
            let range = events.iter().map(|(kind, at)| match kind {
                0 => Event::Introduced(at.to_string()),
                1 => Event::Fixed(at.to_string()),
                _ => Event::LastAffected(at.to_string()),
            });
            let affected = Affected { ranges: vec![range.collect()], ..Affected::default() };
            // `introduced: 0` is before everything, also before what ends at 0.
            let before_all: Vec<_> = events.iter().filter(|(kind, at)| (*kind, *at) == (0, 0)).copied().collect();
            let others = events.iter().filter(|(kind, at)| (*kind, *at) != (0, 0)).copied();
            let events: Vec<_> = before_all.into_iter().chain(others).collect();
            let Ok(holds) = affected.holds(&version.to_string(), &order);
            prop_assert_eq!(holds, naive(&events, version));
            if holds {
                let Ok(fix) = affected.fix(&version.to_string(), &order);
                let naive_fix = events.iter().filter(|(kind, at)| *kind == 1 && *at > version && !naive(&events, *at));
                prop_assert_eq!(fix.map(str::to_owned), naive_fix.map(|(_, at)| *at).min().map(|at| at.to_string()));
            }
        }
    }
}
