//! What a list is filtered by, in SQL.

use crate::engine::{Transaction, Value};

/// Conditions, and the values that they speak of.
pub struct Conditions<'a> {
    /// Joined by `and`; empty: there are none.
    pub sql: String,
    /// For `$1`, `$2` and so on.
    pub values: Vec<Value<'a>>,
    /// Where in a text another one is, from 1; 0 where it is not.
    find: &'static str,
}

impl<'a> Conditions<'a> {
    /// None yet.
    pub fn new(transaction: &Transaction<'_>) -> Self {
        let find = match transaction {
            Transaction::Sqlite(_) => "instr",
            Transaction::Postgres(_) => "strpos",
        };
        Self { sql: String::new(), values: Vec::new(), find }
    }

    /// A place in the statement for one more value.
    pub fn place(&mut self, value: impl Into<Value<'a>>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// One more condition.
    pub fn and(&mut self, condition: &str) {
        if !self.sql.is_empty() {
            self.sql.push_str(" and ");
        }
        self.sql.push_str(condition);
    }

    /// A column has this value.
    pub fn equal(&mut self, column: &str, value: impl Into<Value<'a>>) {
        let place = self.place(value);
        self.and(&format!("{column} = {place}"));
    }

    /// A column has this text, unless that is empty.
    pub fn text(&mut self, column: &str, text: &'a str) {
        if !text.is_empty() {
            self.equal(column, text);
        }
    }

    /// A column has one of these values.
    pub fn one_of(&mut self, column: &str, values: impl IntoIterator<Item = Value<'a>>) {
        let places: Vec<String> = values.into_iter().map(|value| self.place(value)).collect();
        self.and(&format!("{column} in ({})", places.join(", ")));
    }

    /// A column has this part, upper and lower case of Latin letters alike, unless it is empty.
    pub fn part(&mut self, column: &str, part: &'a str) {
        if !part.is_empty() {
            let place = self.place(part);
            self.and(&format!("{}(lower({column}), lower({place})) > 0", self.find));
        }
    }

    /// A list with commas has this element, or another column is it.
    pub fn listed(&mut self, list: &str, or: &str, element: &'a str) {
        let place = self.place(element);
        let find = self.find;
        self.and(&format!("({or} = {place} or {find}(',' || {list} || ',', ',' || {place} || ',') > 0)"));
    }

    /// The conditions as a clause of their own.
    pub fn clause(&self) -> String {
        if self.sql.is_empty() { String::new() } else { format!("where {}", self.sql) }
    }
}

/// Whether one of these texts is in no row: PostgreSQL has none with a zero in it, and would call the question an error.
pub fn are_impossible<'a>(texts: impl IntoIterator<Item = &'a String>) -> bool {
    texts.into_iter().any(|text| text.contains('\0'))
}
