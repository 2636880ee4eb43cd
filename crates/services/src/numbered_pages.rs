//! Pages of lists that are paged by numbers, as the public API for agentless detection has them.

use guardhouse_contract::agentless::{CountedPageInfo, PageInfo};
use guardhouse_store::PageNumber;

use crate::fields::Checks;

/// Rows of a page when the client does not say.
const DEFAULT_SIZE: i32 = 20;

/// Most rows of a page.
const LARGEST_SIZE: i32 = 100;

/// The page that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    current: i32,
    size: i32,
}

impl Page {
    /// Reads `CurrentPage` and `PageSize`; what is not set is the first page, and 20 rows.
    pub fn read(checks: &mut Checks, current: Option<i32>, size: Option<i32>) -> Self {
        Self::read_or(checks, current, size, DEFAULT_SIZE)
    }

    /// The same, of a list with another number of rows when the client does not say.
    pub fn read_or(checks: &mut Checks, current: Option<i32>, size: Option<i32>, default: i32) -> Self {
        let page = Self { current: current.unwrap_or(1), size: size.unwrap_or(default) };
        if page.current < 1 {
            checks.fail("CurrentPage", format!("is {}; pages count from 1", page.current));
        }
        if !(1..=LARGEST_SIZE).contains(&page.size) {
            checks.fail("PageSize", format!("is {}; a page has 1 to {LARGEST_SIZE} rows", page.size));
        }
        page
    }

    /// The same where the size is a text, as some actions have it.
    pub fn read_text(checks: &mut Checks, current: i32, size: &str) -> Self {
        match size.trim().parse() {
            Ok(size) => Self::read(checks, Some(current), Some(size)),
            Err(_) => {
                checks.fail("PageSize", format!("is {size:?}; a page has 1 to {LARGEST_SIZE} rows"));
                Self::read(checks, Some(current), None)
            }
        }
    }

    /// The same page, as the store knows it.
    pub fn number(self) -> PageNumber {
        let size = u32::try_from(self.size).unwrap_or(0);
        let before = u64::try_from(self.current).unwrap_or(1).saturating_sub(1);
        PageNumber { skip: before * u64::from(size), size: size as usize }
    }

    /// What the answer says of it, where all pages have `total` rows.
    pub fn info(self, total: u64) -> PageInfo {
        PageInfo { current_page: self.current, page_size: self.size, total_count: count(total) }
    }

    /// The same of a list that also says how many rows the page has: `rows`.
    pub fn counted_info(self, rows: usize, total: u64) -> CountedPageInfo {
        CountedPageInfo {
            count: count(rows as u64),
            current_page: self.current,
            page_size: self.size,
            total_count: count(total),
        }
    }
}

/// A number of things; clients read 32 bits, and fail on more.
pub fn count(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_one_of_those_that_there_are() {
        for (current, size, expected) in [
            (None, None, Ok((0, 20))),
            (Some(1), Some(1), Ok((0, 1))),
            (Some(3), Some(100), Ok((200, 100))),
            (Some(i32::MAX), Some(100), Ok((214_748_364_600, 100))),
            (Some(0), None, Err(vec!["CurrentPage"])),
            (None, Some(101), Err(vec!["PageSize"])),
            (Some(-1), Some(0), Err(vec!["CurrentPage", "PageSize"])),
        ] {
            let mut checks = Checks::default();
            let page = Page::read(&mut checks, current, size);
            let read = checks.finish().map(|()| (page.number().skip, page.number().size));
            let fields = |status: guardhouse_contract::Status| -> Vec<String> {
                status.violations().iter().map(|violation| violation.field.clone()).collect()
            };
            assert_eq!(
                read.map_err(fields),
                expected.map_err(|names| names.iter().map(|&n| n.into()).collect())
            );
        }
    }

    #[test]
    fn counts_stay_within_what_clients_read() {
        for (number, shown) in [(0, 0), (55, 55), (i32::MAX as u64 + 1, i32::MAX), (u64::MAX, i32::MAX)] {
            assert_eq!(count(number), shown);
        }
    }

    #[test]
    fn a_size_may_be_a_text() {
        for (size, good) in
            [("20", true), (" 5 ", true), ("", false), ("0", false), ("101", false), ("x", false)]
        {
            let mut checks = Checks::default();
            Page::read_text(&mut checks, 2, size);
            assert_eq!(checks.finish().is_ok(), good, "{size:?}");
        }
    }

    #[test]
    fn a_counted_page_says_how_many_rows_it_has() {
        let info = Page { current: 2, size: 20 }.counted_info(3, u64::MAX);
        assert_eq!((info.count, info.current_page, info.page_size, info.total_count), (3, 2, 20, i32::MAX));
    }
}
