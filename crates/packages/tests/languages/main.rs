//! Files as the tools of the languages write them, and what is found in them.

mod dotnet;
mod npm;
mod php;
mod python;
mod ruby;
mod support;
