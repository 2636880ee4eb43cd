//! Conditions of lists, as text and values.

use guardhouse_model::Timestamp;

use crate::{AgentlessSubtaskFilter, AgentlessTaskFilter, engine::Value};

/// Conditions that are joined by and.
pub struct Conditions<'a> {
    /// What follows `where`.
    pub sql: String,
    /// What its `$1`, `$2`, … are.
    pub values: Vec<Value<'a>>,
}

impl<'a> Conditions<'a> {
    /// What holds for tasks and subtasks alike; `of` is put before every column.
    ///
    /// There is always a range of time, even where it is all of it: by that the databases find the order.
    fn common(filter: &'a AgentlessTaskFilter, of: &str) -> Self {
        let mut conditions = Self { sql: String::new(), values: Vec::new() };
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
        for (column, text) in [
            ("internet_ip", &filter.internet_ip),
            ("intranet_ip", &filter.intranet_ip),
            ("instance_id", &filter.instance_id),
        ] {
            if !text.is_empty() {
                conditions.add(&format!("{column} = "), text);
            }
        }
        for (column, text) in [("instance_name", &filter.machine_name), ("target_name", &filter.target_name)]
        {
            if !text.is_empty() {
                // Both databases leave other letters than those of English as they are.
                let place = conditions.value(text);
                conditions.and(&format!(
                    "lower({column}) like '%' || replace(replace(replace(lower({place}), '\\', '\\\\'),
                         '%', '\\%'), '_', '\\_') || '%' escape '\\'"
                ));
            }
        }
        conditions
    }

    /// Appends a value, and answers what it is called.
    pub fn value(&mut self, value: impl Into<Value<'a>>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn add(&mut self, condition: &str, value: impl Into<Value<'a>>) {
        let place = self.value(value);
        self.and(&format!("{condition}{place}"));
    }

    /// `column` is one of these.
    pub fn add_any(&mut self, column: &str, values: impl Iterator<Item = Value<'a>>) {
        let places: Vec<String> = values.map(|value| self.value(value)).collect();
        // Nothing is one of none; `in ()` is not for all databases.
        let places = if places.is_empty() { "null".to_owned() } else { places.join(", ") };
        self.and(&format!("{column} in ({places})"));
    }

    fn and(&mut self, condition: &str) {
        if !self.sql.is_empty() {
            self.sql.push_str(" and ");
        }
        self.sql.push_str(condition);
    }
}
