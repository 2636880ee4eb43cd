//! What policies cost: `policy_merge`, `policy_assign_all`, `policy_looks`, `policy_reach` and its larger siblings.

pub mod assign;
pub mod looks;
pub mod merge;
mod mixes;
pub mod reach;
