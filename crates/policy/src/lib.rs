//! What policies say.
//!
//! [`check()`] judges the features of a policy that is to be created. A policy that is kept is read once, as
//! [`Parsed`], and merged as often as needed: [`effective()`] makes what a device gets of all policies that concern it,
//! and [`explain()`] says for every setting where it came from and what it overrode. The rules of merging are those of
//! [`guardhouse_model::policies`]; here it is decided what a setting is:
//!
//! * a field of a configuration that belongs to a feature of Guardhouse's own agent; messages are descended into, lists
//!   with a strategy of their own ([`ListMerge`](guardhouse_contract::settings::ListMerge)) are one setting;
//! * a member of a foreign JSON object; objects are descended into, lists and everything else are one setting;
//! * any other configuration as a whole.

mod built_in;
mod check;
mod configuration;
mod effective;
mod explain;
mod features;
mod flags;
mod foreign;
pub mod fuzzing;
mod parsed;
mod typed;

pub use built_in::{built_in, is_built_in};
pub use check::check;
pub use effective::{Effective, effective};
pub use explain::{ExplainedFeature, ExplainedSetting, Said, explain};
pub use parsed::Parsed;
