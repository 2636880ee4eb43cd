//! What is wrong with a policy, by the paths of its fields.

use guardhouse_contract::{
    FieldViolation,
    json::MAX_VIOLATIONS,
    settings::{ListMerge, StringList},
};

/// Most elements of a list of ours: many times what is sensible, and little enough that a device that many policies
/// apply to gets them in one frame.
const LONGEST_LIST: usize = 1_000;

/// What was found so far, and the field that is being looked at.
pub(super) struct Found {
    path: String,
    violations: Vec<FieldViolation>,
}

impl Found {
    /// Begins at `field`.
    pub(super) fn at(field: &str) -> Self {
        Self { path: field.to_owned(), violations: Vec::new() }
    }

    /// Everything that was found.
    pub(super) fn violations(self) -> Vec<FieldViolation> {
        self.violations
    }

    /// Notes that the present field is wrong.
    pub(super) fn wrong(&mut self, description: impl Into<String>) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(FieldViolation::new(&self.path, description));
        }
    }

    /// Notes what a check of the present field says.
    pub(super) fn judge(&mut self, judgement: Result<(), String>) {
        if let Err(wrong) = judgement {
            self.wrong(wrong);
        }
    }

    /// Looks at the member `name` of the present field.
    pub(super) fn member(&mut self, name: &str, look: impl FnOnce(&mut Self)) {
        self.below(&format!(".{name}"), look);
    }

    /// Looks at an element of the present field.
    pub(super) fn element(&mut self, index: usize, look: impl FnOnce(&mut Self)) {
        self.below(&format!("[{index}]"), look);
    }

    /// Looks at the present field with `suffix` behind its path.
    pub(super) fn below(&mut self, suffix: &str, look: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(suffix);
        look(self);
        self.path.truncate(length);
    }

    /// Looks at every element of the list `name`.
    pub(super) fn each<T>(&mut self, name: &str, elements: &[T], look: impl Fn(&mut Self, &T)) {
        self.member(name, |found| {
            if elements.len() > LONGEST_LIST {
                let count = elements.len();
                return found.wrong(format!("has {count} elements; at most {LONGEST_LIST} are allowed"));
            }
            for (index, element) in elements.iter().enumerate() {
                found.element(index, |found| look(found, element));
            }
        });
    }

    /// Judges every text of the list `name`, where it is set.
    pub(super) fn texts(
        &mut self,
        name: &str,
        list: Option<&StringList>,
        judge: impl Fn(&str) -> Result<(), String>,
    ) {
        if let Some(list) = list {
            self.list(name, list.merge, |found| {
                found.each("values", &list.values, |found, text| found.judge(judge(text)));
            });
        }
    }

    /// Looks at the list `name` and judges what it does with the list before it.
    pub(super) fn list(&mut self, name: &str, merge: i32, look: impl FnOnce(&mut Self)) {
        self.member(name, |found| {
            look(found);
            if ListMerge::try_from(merge).is_err() {
                found.member("merge", |found| {
                    found.wrong(format!("is {merge}; a strategy of LIST_MERGE_… is needed"))
                });
            }
        });
    }
}
