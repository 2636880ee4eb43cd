//! Dynamic groups: which devices a rule picks.
//!
//! A [`Rule`] is a tree of conditions over the [`Facts`] of a device. It is judged here for one device in memory, and by
//! the store for all devices in SQL; both must say the same. So facts are kept in a form that a database compares as
//! Rust does: texts are folded, versions and addresses are keys whose bytes have the right order.
//!
//! What is not known of a device fits no condition, whatever its operator; `not` around a condition holds for those
//! devices, too. An attribute with several values, such as the components, fits when one of its values does.

mod address;
mod age;
mod evaluate;
mod facts;
mod rule;
mod text;
mod version;

pub use self::{
    address::{Address, AddressError, AddressRange},
    age::{Age, AgeError},
    facts::{AttributeFacts, Component, Facts},
    rule::{
        Choice, Comparison, Condition, Flag, KeptRuleError, MAX_CONDITIONS, MAX_DEPTH, Number, Rule, Seen,
        TextAttribute, TextTest, VersionAttribute, VersionTest,
    },
    text::{Folded, LONGEST_TEXT, Pattern, PatternError, Text, TextError},
    version::{Version, VersionError, VersionKey},
};
