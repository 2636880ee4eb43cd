//! Dynamic groups, and the facts that their rules look at.

use guardhouse_model::{
    DeviceId, GroupId, Timestamp,
    dynamic_groups::{
        Age, AttributeFacts, Choice, Comparison, Component, Condition, Facts, Flag, Folded, Pattern, Rule,
        Seen, Text, TextAttribute, TextTest, Version, VersionAttribute, VersionKey, VersionTest,
    },
};
use guardhouse_store::{
    DerivedFacts, Device, DynamicGroup, DynamicGroupCreate, DynamicGroupUpdate, Lease, Member,
    NewDynamicGroup, PolicyTarget,
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    pools::{DEVICES, DYNAMIC_GROUPS, LIMITS, SECONDS, any_groups, at, attributes, device, group, names},
};

impl Model {
    pub fn dynamic_group_get(&self, group: GroupId) -> Option<DynamicGroup> {
        let kept = self.dynamic_groups.get(&group)?;
        Some(DynamicGroup { device_count: self.members_of(group).len() as u64, ..kept.clone() })
    }

    pub fn dynamic_groups_list(&self, after: Option<GroupId>, limit: usize) -> Vec<DynamicGroup> {
        let groups = self.dynamic_groups.keys().filter(|group| Some(**group) > after);
        groups.filter_map(|group| self.dynamic_group_get(*group)).take(limit).collect()
    }

    /// The pool is too small for a tree that is too deep.
    pub fn dynamic_group_create(
        &mut self,
        new: NewDynamicGroup,
        now: Timestamp,
    ) -> Result<DynamicGroupCreate, Refusal> {
        if !self.any_group_exists(new.parent) {
            return Ok(DynamicGroupCreate::NoSuchParent);
        }
        // A group below itself: it is there already, as it has a parent.
        if new.parent == new.id || self.dynamic_below(new.id).contains(&new.parent) {
            return Ok(DynamicGroupCreate::TooDeep);
        }
        if self.dynamic_groups.contains_key(&new.id) {
            return Err(Refusal::Taken);
        }
        let group = DynamicGroup {
            id: new.id,
            parent: new.parent,
            display_name: new.display_name,
            description: new.description,
            rule: new.rule,
            version: 1,
            evaluate_time: now,
            device_count: 0,
        };
        self.dynamic_groups.insert(new.id, group);
        let come = self.evaluate(new.id, now);
        let created = self.dynamic_group_get(new.id).expect("was inserted");
        Ok(DynamicGroupCreate::Done(Box::new(created), come))
    }

    pub fn dynamic_group_update(
        &mut self,
        group: GroupId,
        update: DynamicGroupUpdate,
        now: Timestamp,
    ) -> Option<(DynamicGroup, Vec<DeviceId>)> {
        let kept = self.dynamic_groups.get_mut(&group)?;
        let before = kept.clone();
        let other_rule = update.rule.as_ref().is_some_and(|rule| *rule != before.rule);
        kept.display_name = update.display_name.unwrap_or(before.display_name.clone());
        kept.description = update.description.unwrap_or(before.description.clone());
        kept.rule = update.rule.unwrap_or(before.rule.clone());
        if *kept != before {
            kept.version += 1;
        }
        let changed = if other_rule { self.evaluate(group, now) } else { Vec::new() };
        Some((self.dynamic_group_get(group)?, changed))
    }

    pub fn dynamic_group_delete(&mut self, group: GroupId) -> Option<Vec<DeviceId>> {
        self.dynamic_groups.get(&group)?;
        let concerned = self.members_of(group);
        self.forget_dynamic_groups(&self.dynamic_below(group));
        Some(concerned)
    }

    pub fn dynamic_group_preview(
        &self,
        parent: GroupId,
        rule: Rule,
        now: Timestamp,
        limit: usize,
    ) -> Option<(u64, Vec<Member>)> {
        if !self.any_group_exists(parent) {
            return None;
        }
        let picked: Vec<&Device> = self
            .devices
            .values()
            .filter(|device| self.is_picked(device.id, parent, &rule, Some(now)))
            .collect();
        let member = |device: &&Device| Member {
            device: device.id,
            display_name: device.display_name.clone(),
            group: device.group,
        };
        Some((picked.len() as u64, picked.iter().take(limit).map(member).collect()))
    }

    /// Groups whose rules depend on time get and lose devices; so do those below them.
    pub fn dynamic_groups_let_time_pass(
        &mut self,
        lease: Lease,
        now: Timestamp,
    ) -> Result<Vec<DeviceId>, Refusal> {
        let timed: Vec<GroupId> = self
            .dynamic_groups
            .values()
            .filter(|group| group.rule.depends_on_time())
            .map(|group| group.id)
            .collect();
        if timed.is_empty() {
            return Ok(Vec::new());
        }
        self.holds(lease)?;
        let wrong = |device: &DeviceId| {
            timed.iter().any(|id| {
                let group = &self.dynamic_groups[id];
                self.is_picked(*device, group.parent, &group.rule, Some(now))
                    != self.dynamic_members.contains(&(*id, *device))
            })
        };
        let wrong: Vec<DeviceId> = self.devices.keys().copied().filter(wrong).collect();
        let changed = self.settle(wrong, Some(now));
        for id in timed {
            self.dynamic_groups.entry(id).and_modify(|group| group.evaluate_time = now);
        }
        Ok(changed)
    }

    pub fn devices_refresh_facts(&mut self, derived: Vec<DerivedFacts>) -> Vec<DeviceId> {
        let mut refreshed = Vec::new();
        for derived in derived {
            let kept = self.devices.get(&derived.device);
            if kept.is_some_and(|kept| kept.attributes == derived.attributes)
                && self.facts.get(&derived.device) != Some(&derived.facts)
            {
                self.facts.insert(derived.device, derived.facts);
                refreshed.push(derived.device);
            }
        }
        self.settle(refreshed, None)
    }

    /// Every verb that adds a device keeps its facts.
    pub fn devices_without_facts(&self, _: Option<DeviceId>, _: usize) -> Vec<Device> {
        Vec::new()
    }

    pub fn dynamic_groups_of(&self, devices: Vec<DeviceId>) -> Vec<Vec<GroupId>> {
        let of = |device: DeviceId| {
            let is_in = |group: &GroupId| self.dynamic_members.contains(&(*group, device));
            self.dynamic_groups.keys().copied().filter(is_in).collect()
        };
        devices.into_iter().map(of).collect()
    }

    pub fn any_group_exists(&self, group: GroupId) -> bool {
        self.groups.contains_key(&group) || self.dynamic_groups.contains_key(&group)
    }

    /// The devices of a dynamic group, in the order of their ids.
    pub fn members_of(&self, group: GroupId) -> Vec<DeviceId> {
        self.dynamic_members.iter().filter(|(of, _)| *of == group).map(|(_, device)| *device).collect()
    }

    /// A dynamic group and all below it, each after its parent. Of a static group, all below it.
    pub fn dynamic_below(&self, group: GroupId) -> Vec<GroupId> {
        let mut found: Vec<GroupId> =
            self.dynamic_groups.get(&group).map(|group| group.id).into_iter().collect();
        for child in self.dynamic_groups.values().filter(|child| child.parent == group) {
            found.extend(self.dynamic_below(child.id));
        }
        found
    }

    /// All dynamic groups: first those below static groups, by their ids whatever the static group, each followed by those
    /// below it.
    fn pre_order(&self) -> Vec<GroupId> {
        let roots = self.dynamic_groups.values().filter(|group| self.groups.contains_key(&group.parent));
        roots.flat_map(|group| self.dynamic_below(group.id)).collect()
    }

    pub fn forget_dynamic_groups(&mut self, gone: &[GroupId]) {
        self.dynamic_groups.retain(|group, _| !gone.contains(group));
        self.dynamic_members.retain(|(group, _)| !gone.contains(group));
        self.stacks.retain(|target, _| !matches!(target, PolicyTarget::Group(group) if gone.contains(group)));
    }

    /// Judges devices that changed. Answers those that came or went, in the order given.
    pub fn settle(&mut self, devices: Vec<DeviceId>, now: Option<Timestamp>) -> Vec<DeviceId> {
        let mut changed = Vec::new();
        for device in devices {
            let all = self.pre_order();
            let different = all.iter().filter(|group| self.judge(**group, device, now)).count();
            if different > 0 {
                changed.push(device);
            }
        }
        changed
    }

    /// Judges all devices for a group and those below it. Answers those that came or went, in the order of their ids.
    pub fn evaluate(&mut self, group: GroupId, now: Timestamp) -> Vec<DeviceId> {
        let mut changed = Vec::new();
        let devices: Vec<DeviceId> = self.devices.keys().copied().collect();
        for group in self.dynamic_below(group) {
            changed.extend(devices.iter().filter(|device| self.judge(group, **device, Some(now))).copied());
            self.dynamic_groups.entry(group).and_modify(|group| group.evaluate_time = now);
        }
        changed.sort();
        changed.dedup();
        changed
    }

    /// Puts a device into a group or takes it out; true: that was a change.
    fn judge(&mut self, group: GroupId, device: DeviceId, now: Option<Timestamp>) -> bool {
        let kept = &self.dynamic_groups[&group];
        if self.is_picked(device, kept.parent, &kept.rule, now) {
            self.dynamic_members.insert((group, device))
        } else {
            self.dynamic_members.remove(&(group, device))
        }
    }

    fn is_picked(&self, device: DeviceId, parent: GroupId, rule: &Rule, now: Option<Timestamp>) -> bool {
        let Some(kept) = self.devices.get(&device) else { return false };
        let facts = Facts {
            display_name: Folded::new(&kept.display_name),
            original_display_name: Folded::new(&kept.original_display_name),
            enrolment_status: kept.enrolment_status,
            functionality_status: kept.functionality_status,
            problem_count: kept.problem_count,
            is_muted: kept.is_muted,
            last_seen: kept.last_sync_time,
            attributes: self.facts[&device].clone(),
        };
        let now = now.or(kept.last_sync_time).unwrap_or(Timestamp::UNIX_EPOCH);
        (self.path(kept.group).contains(&parent) || self.dynamic_members.contains(&(parent, device)))
            && rule.holds(&facts, now)
    }
}

/// What attributes say: in these tests, the same attributes always the same, unless they are refreshed.
pub fn facts_of(attributes: &[u8]) -> AttributeFacts {
    let component = |name, version| Component { name: Folded::new(name), version: VersionKey::new(version) };
    match attributes {
        [] => AttributeFacts::default(),
        [1] => AttributeFacts {
            operating_system: Folded::new("Debian"),
            operating_system_family: 2,
            agent_version: VersionKey::new("1.2"),
            components: vec![component("Agent", "1.2"), component("Scanner", "9")],
            ..AttributeFacts::default()
        },
        _ => AttributeFacts {
            operating_system: Folded::new("Windows"),
            operating_system_family: 1,
            agent_version: VersionKey::new("1.10"),
            components: vec![component("Agent", "1.10")],
            ..AttributeFacts::default()
        },
    }
}

fn rules() -> impl Strategy<Value = Rule> {
    let text = |text| Text::new(text).expect("is good");
    let condition = |condition| Rule::Condition(condition);
    let named = condition(Condition::Text {
        attribute: TextAttribute::DisplayName,
        test: TextTest::OneOf(vec![text("WEB"), text("ÄPFEL")]),
    });
    let family = condition(Condition::Choice { attribute: Choice::OperatingSystemFamily, values: vec![1] });
    let older = condition(Condition::Version {
        attribute: VersionAttribute::Component(text("agent")),
        test: VersionTest::Compares(Comparison::Less, Version::new("1.9").expect("is good")),
    });
    let pattern = condition(Condition::Text {
        attribute: TextAttribute::Component,
        test: TextTest::Matches(Pattern::new("^sc.nner$").expect("is good")),
    });
    let muted = condition(Condition::Flag { attribute: Flag::Muted, value: true });
    let age = Age::new("10s").expect("is good");
    let seen = condition(Condition::Seen(Seen::Within(age)));
    let silent = condition(Condition::Seen(Seen::NotFor(age)));
    let not = |rule: &Rule| Rule::Not(Box::new(rule.clone()));
    let rules = vec![
        Rule::All(vec![]),
        not(&named),
        not(&pattern),
        Rule::All(vec![family.clone(), not(&muted)]),
        Rule::Any(vec![seen.clone(), older.clone()]),
        named,
        family,
        older,
        pattern,
        muted,
        seen,
        silent,
    ];
    select(rules)
}

#[derive(Debug, Clone)]
pub enum Command {
    Create { group: u8, parent: u8, name: &'static str, rule: Rule, now: u8 },
    Update { group: u8, name: Option<&'static str>, rule: Option<Rule>, now: u8 },
    Delete { group: u8 },
    Preview { parent: u8, rule: Rule, now: u8, limit: usize },
    LetTimePass { lost: bool, now: u8 },
    Refresh { devices: Vec<(u8, &'static [u8], &'static [u8])> },
    Of { devices: Vec<u8> },
}

pub fn creations() -> impl Strategy<Value = Command> {
    (DYNAMIC_GROUPS, any_groups(), names(), rules(), SECONDS)
        .prop_map(|(group, parent, name, rule, now)| Command::Create { group, parent, name, rule, now })
}

pub fn commands() -> impl Strategy<Value = Command> {
    let of_rule = (any_groups(), rules(), SECONDS, LIMITS);
    let refreshed = (DEVICES, attributes(), attributes());
    prop_oneof![
        5 => creations(),
        3 => (DYNAMIC_GROUPS, prop::option::of(names()), prop::option::of(rules()), SECONDS)
            .prop_map(|(group, name, rule, now)| Command::Update { group, name, rule, now }),
        1 => DYNAMIC_GROUPS.prop_map(|group| Command::Delete { group }),
        2 => of_rule.prop_map(|(parent, rule, now, limit)| Command::Preview { parent, rule, now, limit }),
        4 => (prop::bool::weighted(0.2), 0..60_u8).prop_map(|(lost, now)| Command::LetTimePass { lost, now }),
        2 => vec(refreshed, 0..4).prop_map(|devices| Command::Refresh { devices }),
        1 => vec(DEVICES, 0..4).prop_map(|devices| Command::Of { devices }),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Create { group: number, parent, name, rule, now } => {
            let new = || NewDynamicGroup {
                id: group(number),
                parent: group(parent),
                display_name: name.to_owned(),
                description: "described".to_owned(),
                rule: rule.clone(),
            };
            agree!(bench.dynamic_group_create(new(), at(now))?);
        }
        Command::Update { group: number, name, rule, now } => {
            let update = || DynamicGroupUpdate {
                display_name: name.map(str::to_owned),
                description: None,
                rule: rule.clone(),
            };
            agree!(bench.dynamic_group_update(group(number), update(), at(now)));
        }
        Command::Delete { group: number } => {
            agree!(bench.dynamic_group_delete(group(number)));
        }
        Command::Preview { parent, rule, now, limit } => {
            agree!(bench.dynamic_group_preview(group(parent), rule.clone(), at(now), limit));
        }
        Command::LetTimePass { lost, now } => {
            let newest = bench.model.leases.get("retention").map_or(0, |kept| kept.fence);
            let lease = Lease { duty: "retention", fence: newest.saturating_sub(lost.into()) };
            agree!(bench.dynamic_groups_let_time_pass(lease, at(now))?);
        }
        Command::Refresh { devices } => {
            let mut devices = devices;
            devices.sort();
            devices.dedup_by_key(|(device, ..)| *device);
            let derived = || {
                let derived = devices.iter().map(|(number, attributes, says)| DerivedFacts {
                    device: device(*number),
                    attributes: attributes.to_vec(),
                    facts: facts_of(says),
                });
                derived.collect()
            };
            agree!(bench.devices_refresh_facts(derived()));
        }
        Command::Of { devices } => {
            let ids = || devices.iter().copied().map(device).collect();
            agree!(bench.dynamic_groups_of(ids()));
        }
    }
    Ok(())
}
