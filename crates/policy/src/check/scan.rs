//! What scans look at, and when.

use std::collections::HashSet;

use guardhouse_contract::settings::{Cleaning, ScanPolicy, ScanProfile, ScanSchedule};

use super::{
    forms::{self, DAY},
    found::Found,
};

/// How deep archives inside archives can be opened.
const DEEPEST_ARCHIVE: u32 = 20;

pub(super) fn check(found: &mut Found, settings: &ScanPolicy) {
    if let Some(profiles) = &settings.profiles {
        found.list("profiles", profiles.merge, |found| {
            found.each("values", &profiles.values, profile);
            found.member("values", |found| unique_names(found, &profiles.values));
        });
    }
    found.texts("exclusions", settings.exclusions.as_ref(), forms::pattern);
    if let Some(schedules) = &settings.schedules {
        found.list("schedules", schedules.merge, |found| found.each("values", &schedules.values, schedule));
    }
    if let Some(cleaning) = settings.cleaning
        && matches!(Cleaning::try_from(cleaning), Ok(Cleaning::Unspecified) | Err(_))
    {
        let wrong = "must be CLEANING_REPORT_ONLY or CLEANING_QUARANTINE; leave it out to say nothing";
        found.member("cleaning", |found| found.wrong(wrong));
    }
}

fn profile(found: &mut Found, profile: &ScanProfile) {
    found.member("name", |found| found.judge(forms::profile(&profile.name)));
    found.each("targets", &profile.targets, |found, target| found.judge(forms::path(target)));
    if let Some(depth) = profile.archive_depth.filter(|depth| *depth > DEEPEST_ARCHIVE) {
        let wrong = format!("is {depth}; at most {DEEPEST_ARCHIVE} levels can be opened");
        found.member("archiveDepth", |found| found.wrong(wrong));
    }
}

/// Inside one policy a name that is there twice is a mistake; between policies it is how a profile is overridden.
fn unique_names(found: &mut Found, profiles: &[ScanProfile]) {
    let mut names = HashSet::new();
    for (index, profile) in profiles.iter().enumerate() {
        if !names.insert(&profile.name) {
            let wrong = format!("is {:?}, as that of a profile before it; names are unique", profile.name);
            found.element(index, |found| found.member("name", |found| found.wrong(wrong)));
        }
    }
}

fn schedule(found: &mut Found, schedule: &ScanSchedule) {
    found.member("profile", |found| found.judge(forms::profile(&schedule.profile)));
    found.each("days", &schedule.days, |found, &day| found.judge(forms::day(day)));
    found.member("start", |found| found.judge(forms::clock(&schedule.start)));
    if let Some(delay) = &schedule.random_delay {
        found.member("randomDelay", |found| found.judge(forms::duration(Some(delay), 0..=DAY)));
    }
}
