//! Malicious files, notes about them, and the rules that take files for good.

use guardhouse_model::{
    Timestamp,
    agentless::{Handling, MaliciousLevel, MaliciousOperation, MaliciousType},
};

use super::{AssetFilter, ScannedAsset};

/// A malicious file, as a scan found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMaliciousFile {
    /// In hexadecimal, lower case.
    pub md5: String,
    /// In hexadecimal, lower case.
    pub sha256: String,
    /// Where it is in the system that was scanned.
    pub path: String,
    /// On which partition, as `/dev/vda1`; empty: on none.
    pub partition: String,
    /// What it is taken for.
    pub name: String,
    /// What kind of file that is.
    pub kind: MaliciousType,
    /// How urgent it is.
    pub level: MaliciousLevel,
    /// In JSON: which of its bytes show it; empty: unknown.
    pub highlight: String,
    /// In JSON: what else there is to say, a list of objects with `Name`, `NameKey`, `Type` and `Value`, all texts.
    pub details: String,
}

/// A malicious file of the newest scan of its asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaliciousFile {
    /// Identity, below 2^53. The same file found again keeps it.
    pub id: i64,
    /// As the scan found it.
    pub found: NewMaliciousFile,
    /// On which asset.
    pub asset: ScannedAsset,
    /// When it was found there for the first time.
    pub first_time: Timestamp,
    /// When it was found there last.
    pub latest_time: Timestamp,
    /// What became of it.
    pub handling: Handling,
    /// What was last done about it, and when.
    pub operated: Option<(MaliciousOperation, Timestamp)>,
    /// What people wrote about it, in the order of time.
    pub notes: Vec<MaliciousNote>,
}

/// What somebody wrote about a malicious file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaliciousNote {
    /// Identity, below 2^53.
    pub id: i64,
    /// What was written.
    pub note: String,
    /// When.
    pub create_time: Timestamp,
}

/// What became of a request to write about a malicious file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaliciousNoteAdded {
    /// It is written.
    Added,
    /// There is no such file.
    NotFound,
    /// There are as many notes about it as there may be: this many.
    Full(usize),
}

/// Which malicious files are listed. What is `None` or empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaliciousFileFilter {
    /// This one.
    pub id: Option<i64>,
    /// Like this one.
    pub like: Option<(i64, Likeness)>,
    /// With this in its name, upper and lower case alike.
    pub name: String,
    /// With this MD5, in hexadecimal.
    pub md5: String,
    /// Of this kind.
    pub kind: Option<MaliciousType>,
    /// Of one of these levels.
    pub levels: Vec<MaliciousLevel>,
    /// Something was done about it, or nothing.
    pub is_handled: Option<bool>,
    /// On these assets.
    pub asset: AssetFilter,
}

/// In what malicious files are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// They are of one kind.
    Type,
    /// They have one MD5.
    Md5,
}

/// What became of a request to do something about malicious files by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaliciousFilesHandled {
    /// It is done; so many files were changed by it.
    Done(usize),
    /// Nothing is done: there are no files with these ids.
    NotFound(Vec<i64>),
}

/// Equal malicious files on all assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaliciousSample {
    /// In hexadecimal, lower case.
    pub md5: String,
    /// In hexadecimal, lower case.
    pub sha256: String,
    /// What it is taken for.
    pub name: String,
    /// The most urgent of their levels.
    pub level: MaliciousLevel,
    /// When one was found for the first time.
    pub first_time: Timestamp,
    /// When one was found last.
    pub latest_time: Timestamp,
    /// How many assets have one.
    pub assets: u64,
    /// About how many files nothing was done.
    pub open: u64,
    /// How many files are whitelisted.
    pub whitelisted: u64,
    /// How many files there are.
    pub files: u64,
}

/// A rule that takes files for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaliciousRule {
    /// Identity, below 2^53.
    pub id: i64,
    /// What it says.
    pub says: NewMaliciousRule,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
}

/// What a rule says that takes files for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMaliciousRule {
    /// Which files: those with this MD5, in hexadecimal, lower case.
    pub md5: String,
    /// On which assets.
    pub scope: RuleScope,
    /// Why.
    pub remark: String,
}

/// On which assets a rule takes files for good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RuleScope {
    /// On all of them.
    #[default]
    All,
    /// On those of the selection with this key: those that are taken into it and of its platform, also while they are
    /// not there.
    Selection(i64),
}

/// What is to be changed of a rule. What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaliciousRuleChange {
    /// The rule; `None`: a new one is made.
    pub id: Option<i64>,
    /// Which files: a new rule needs it.
    pub md5: Option<String>,
    /// On which assets; of a new rule, where it is `None`: on all.
    pub scope: Option<RuleScope>,
    /// Why.
    pub remark: Option<String>,
}

/// Why rules were not changed: none of them was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaliciousRuleRefusal {
    /// There is no rule with this id. By its place among the changes.
    NotFound(usize),
    /// Another rule says the same: the one with this id; `None`: one of the changes before. By its place among the
    /// changes.
    Taken(usize, Option<i64>),
    /// There is no selection with this key. By its place among the changes.
    NoSelection(usize),
}
