//! Files as the tools of the languages write them, and what is found in them.

mod dotnet;
mod hostile;
mod java;
mod npm;
mod php;
mod python;
mod ruby;
mod support;
