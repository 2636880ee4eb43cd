//! The order of versions: laws that every order keeps, and the same answers as the ecosystems' own tools.

mod generate;
mod laws;
mod tools;
