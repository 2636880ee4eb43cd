//! Conditions of lists, as text and values.

use guardhouse_model::Timestamp;

use crate::{AgentlessSubtaskFilter, AgentlessTaskFilter, engine::Value};

/// That `column` has the text at `place` in it. Upper and lower case of English letters are alike; both databases leave others
/// as they are.
pub fn has_part(column: &str, place: &str) -> String {
    format!(
        "lower({column}) like '%' || replace(replace(replace(lower({place}), '\\', '\\\\'),
             '%', '\\%'), '_', '\\_') || '%' escape '\\'"
    )
}

/// Conditions that are joined by and.
pub struct Conditions<'a> {
    /// What follows `where`.
    pub sql: String,
    /// What its `$1`, `$2`, … are.
    pub values: Vec<Value<'a>>,
}

impl<'a> Conditions<'a> {
    /// None.
    pub fn none() -> Self {
        Self { sql: String::new(), values: Vec::new() }
    }

    /// What holds for tasks and subtasks alike; `of` is put before every column.
    ///
    /// There is always a range of time, even where it is all of it: by that the databases find the order.
    fn common(filter: &'a AgentlessTaskFilter, of: &str) -> Self {
        let mut conditions = Self::none();
        conditions.add(&format!("{of}start_time >= "), filter.from.unwrap_or(Timestamp::MIN));
        conditions.add(&format!("{of}start_time <= "), filter.until.unwrap_or(Timestamp::MAX));
        if let Some(target_type) = filter.target_type {
            conditions.add(&format!("{of}target_type = "), target_type);
        }
        if !filter.statuses.is_empty() {
            let statuses = filter.statuses.iter().map(|status| Value::from(*status as i32));
            conditions.add_any(&format!("{of}status"), statuses);
        }
        if let Some(ids) = &filter.ids {
            conditions.add_any(&format!("{of}uuid"), ids.iter().map(|id| Value::from(*id)));
        }
        conditions
    }

    /// Of tasks.
    pub fn of_tasks(filter: &'a AgentlessTaskFilter) -> Self {
        Self::common(filter, "")
    }

    /// Of subtasks, which are called `subtask`.
    pub fn of_subtasks(filter: &'a AgentlessSubtaskFilter) -> Self {
        let mut conditions = Self::common(&filter.common, "subtask.");
        if let Some(task) = filter.task {
            conditions.add("task_uuid = ", task);
        }
        conditions.add_text("internet_ip", &filter.internet_ip);
        conditions.add_text("intranet_ip", &filter.intranet_ip);
        conditions.add_text("instance_id", &filter.instance_id);
        conditions.add_part("instance_name", &filter.machine_name);
        conditions.add_part("target_name", &filter.target_name);
        conditions
    }

    /// Appends a value, and answers what it is called.
    pub fn value(&mut self, value: impl Into<Value<'a>>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// One more condition, which ends with a value.
    pub fn add(&mut self, condition: &str, value: impl Into<Value<'a>>) {
        let place = self.value(value);
        self.and(&format!("{condition}{place}"));
    }

    /// `column` is this text, unless that is empty.
    pub fn add_text(&mut self, column: &str, text: &'a str) {
        if !text.is_empty() {
            self.add(&format!("{column} = "), text);
        }
    }

    /// `column` has this text in it, as [`has_part`] says, unless that is empty.
    pub fn add_part(&mut self, column: &str, text: &'a str) {
        if !text.is_empty() {
            let place = self.value(text);
            self.and(&has_part(column, &place));
        }
    }

    /// `column` is one of these.
    pub fn add_any(&mut self, column: &str, values: impl Iterator<Item = Value<'a>>) {
        let places: Vec<String> = values.map(|value| self.value(value)).collect();
        // Nothing is one of none; `in ()` is not for all databases.
        let places = if places.is_empty() { "null".to_owned() } else { places.join(", ") };
        self.and(&format!("{column} in ({places})"));
    }

    /// One more condition.
    pub fn and(&mut self, condition: &str) {
        if !self.sql.is_empty() {
            self.sql.push_str(" and ");
        }
        self.sql.push_str(condition);
    }
}
