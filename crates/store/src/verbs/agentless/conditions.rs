//! Conditions of a statement, as text and values.

use crate::engine::{Transaction, Value};

/// What never holds.
const NEVER: &str = "1 = 0";

/// Conditions that must all hold, and their values.
pub struct Conditions<'a> {
    sql: String,
    values: Vec<Value<'a>>,
    is_postgres: bool,
}

impl<'a> Conditions<'a> {
    /// None yet: all rows.
    pub fn new(transaction: &Transaction<'_>) -> Self {
        let is_postgres = matches!(transaction, Transaction::Postgres(_));
        Self { sql: String::new(), values: Vec::new(), is_postgres }
    }

    /// All of them, joined by and; empty where there is none.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// ` where …`, or nothing where there is no condition.
    pub fn clause(&self) -> String {
        if self.sql.is_empty() { String::new() } else { format!(" where {}", self.sql) }
    }

    /// What the statement takes for `$1`, `$2`, …, and `more` behind it.
    pub fn values(&self, more: &[Value<'a>]) -> Vec<Value<'a>> {
        [&self.values, more].concat()
    }

    /// The place of the first value behind those that there are.
    pub fn next_place(&self) -> usize {
        self.values.len() + 1
    }

    /// Appends a value, and answers what it is called.
    pub fn value(&mut self, value: impl Into<Value<'a>>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// A condition without a value.
    pub fn holds(&mut self, condition: &str) {
        if !self.sql.is_empty() {
            self.sql.push_str(" and ");
        }
        self.sql.push_str(condition);
    }

    /// A condition with a value, which it is told the name of.
    pub fn holds_with(&mut self, value: impl Into<Value<'a>>, condition: impl FnOnce(&str) -> String) {
        let place = self.value(value);
        self.holds(&condition(&place));
    }

    /// A condition that ends with a value.
    pub fn compares(&mut self, condition: &str, value: impl Into<Value<'a>>) {
        self.holds_with(value, |place| format!("{condition} {place}"));
    }

    /// The column has exactly this text; empty: it does not matter.
    pub fn equals(&mut self, column: &str, text: &'a str) {
        match text {
            "" => {}
            text if text.contains('\0') => self.never(),
            text => self.compares(&format!("{column} ="), text),
        }
    }

    /// The same, upper and lower case of Latin letters alike.
    pub fn equals_in_any_case(&mut self, column: &str, text: &'a str) {
        match text {
            "" => {}
            text if text.contains('\0') => self.never(),
            text => {
                let text = self.lowered(text);
                self.holds(&format!("lower({column}) = {text}"));
            }
        }
    }

    /// The column has this text in it, upper and lower case of Latin letters alike; empty: it does not matter.
    pub fn contains(&mut self, column: &str, text: &'a str) {
        if let Some(condition) = self.in_one_of(&[column], text) {
            self.holds(&condition);
        }
    }

    /// That one of the columns has this text in it; `None`: it does not matter.
    pub fn in_one_of(&mut self, columns: &[&str], text: &'a str) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        if text.contains('\0') {
            return Some(NEVER.to_owned());
        }
        let text = self.lowered(text);
        let find = if self.is_postgres { "strpos" } else { "instr" };
        let any = columns.iter().map(|column| format!("{find}(lower({column}), {text}) > 0"));
        Some(format!("({})", any.collect::<Vec<_>>().join(" or ")))
    }

    /// A text in lower case, as columns are lowered: PostgreSQL would ask a language otherwise which letters those are.
    fn lowered(&mut self, text: &'a str) -> String {
        let place = self.value(text);
        if self.is_postgres { format!("lower({place} collate \"C\")") } else { format!("lower({place})") }
    }

    /// The column has one of these values; of none, it has none.
    pub fn one_of<T: Into<Value<'a>>>(&mut self, column: &str, values: impl IntoIterator<Item = T>) {
        let places: Vec<_> = values.into_iter().map(|value| self.value(value)).collect();
        if places.is_empty() {
            self.never();
        } else {
            self.holds(&format!("{column} in ({})", places.join(", ")));
        }
    }

    /// These as one condition, which is made of them; none where there is none.
    pub fn within(mut self, condition: impl FnOnce(&str) -> String) -> Self {
        if !self.sql.is_empty() {
            self.sql = condition(&self.sql);
        }
        self
    }

    /// Nothing is that. PostgreSQL has no texts with a zero in them, and would call a question with one an error.
    pub fn never(&mut self) {
        self.holds(NEVER);
    }
}
