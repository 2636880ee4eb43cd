//! Page tokens.
//!
//! A token is opaque so that clients cannot come to depend on what is in it. It carries a version, a digest of
//! everything that decides what the list shows (method and filters), the last key that was shown, and a
//! signature. The server therefore keeps nothing between pages, and a token that was made for another list, by
//! another server or by hand is refused instead of showing something else.
//!
//! They live beside the services, not in the gateway: the key of the last row is known only here, and gRPC
//! callers page in the same way.

use aws_lc_rs::{digest, hmac};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use guardhouse_contract::Status;
use guardhouse_model::Timestamp;
use uuid::Uuid;

const VERSION: u8 = 1;
const SCAN: usize = 8;
const SIGNATURE: usize = 16;

/// Items of a page when the client does not say.
const DEFAULT_SIZE: usize = 50;

/// Most items of a page; whoever asks for more gets this many.
const LARGEST_SIZE: usize = 1_000;

/// Makes and reads page tokens.
#[derive(Debug, Clone)]
pub struct Pages {
    key: hmac::Key,
}

/// What a list shows, regardless of the page: the name of the method and its filters.
pub struct Scan(digest::Context);

/// One page to show.
#[derive(Debug)]
pub struct Page {
    /// Most items to show.
    pub size: usize,
    /// Key of the last item that was shown; `None`: this is the first page.
    pub after: Option<Vec<u8>>,
    scan: [u8; SCAN],
    key: hmac::Key,
}

impl Scan {
    /// The list of this method without filters.
    #[must_use]
    pub fn new(method: &str) -> Self {
        Self(digest::Context::new(&digest::SHA256)).with(method)
    }

    /// The same list with one more filter. Filters must come in the same order each time.
    #[must_use]
    pub fn with(mut self, filter: impl AsRef<[u8]>) -> Self {
        let filter = filter.as_ref();
        self.0.update(&(filter.len() as u64).to_le_bytes());
        self.0.update(filter);
        self
    }

    fn finish(self) -> [u8; SCAN] {
        let mut scan = [0; SCAN];
        scan.copy_from_slice(&self.0.finish().as_ref()[..SCAN]);
        scan
    }
}

impl Pages {
    /// Tokens signed with this key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// Reads which page is asked for. An empty token asks for the first.
    ///
    /// # Errors
    /// The token was not made by this server for this list.
    pub fn open(&self, scan: Scan, size: u32, token: &str) -> Result<Page, Status> {
        let scan = scan.finish();
        let size = match size as usize {
            0 => DEFAULT_SIZE,
            size => size.min(LARGEST_SIZE),
        };
        let after = if token.is_empty() {
            None
        } else {
            Some(self.read(scan, token).ok_or_else(|| {
                let wrong = "does not belong to this list; pass nextPageToken of the previous page unchanged \
                     and with the same filters, or leave it out for the first page";
                Status::invalid_field("pageToken", wrong)
            })?)
        };
        Ok(Page { size, after, scan, key: self.key.clone() })
    }

    fn read(&self, scan: [u8; SCAN], token: &str) -> Option<Vec<u8>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (body, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        let expected = hmac::sign(&self.key, body);
        aws_lc_rs::constant_time::verify_slices_are_equal(&expected.as_ref()[..SIGNATURE], signature).ok()?;
        let (version, rest) = body.split_first()?;
        let (token_scan, key) = rest.split_at_checked(SCAN)?;
        (*version == VERSION && token_scan == scan).then(|| key.to_vec())
    }
}

impl Page {
    /// The id that the last item of the previous page had, for lists that are ordered by id.
    ///
    /// # Errors
    /// The token carries something else, which a token of this list never does.
    pub fn after_id<T: From<Uuid>>(&self) -> Result<Option<T>, Status> {
        let read = |key: &Vec<u8>| Uuid::from_slice(key).map(T::from).map_err(Status::internal);
        self.after.as_ref().map(read).transpose()
    }

    /// The last item of the previous page, for lists that begin with the newest and are ordered by a moment and an id.
    ///
    /// # Errors
    /// The token carries something else, which a token of such a list never does.
    pub fn before(&self) -> Result<Option<(Timestamp, Uuid)>, Status> {
        let Some(key) = &self.after else { return Ok(None) };
        let read = || {
            let (time, id) = key.split_first_chunk::<8>()?;
            let time = Timestamp::from_microsecond(i64::from_be_bytes(*time)).ok()?;
            Some((time, Uuid::from_slice(id).ok()?))
        };
        read().map(Some).ok_or_else(|| Status::internal("a page token holds no moment and id"))
    }

    /// How many items to fetch: one more than is shown, to know whether there is a next page.
    #[must_use]
    pub fn fetch(&self) -> usize {
        self.size + 1
    }

    /// Cuts `items` to the page and makes the token of the next one; empty: this is the last.
    #[must_use]
    pub fn close<T>(&self, items: &mut Vec<T>, key: impl Fn(&T) -> Vec<u8>) -> String {
        if items.len() <= self.size {
            return String::new();
        }
        items.truncate(self.size);
        items.last().map_or_else(String::new, |last| self.seal(&key(last)))
    }

    /// The token of a page that begins behind this key.
    #[must_use]
    pub fn seal(&self, key: &[u8]) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.scan);
        bytes.extend_from_slice(key);
        let signature = hmac::sign(&self.key, &bytes);
        bytes.extend_from_slice(&signature.as_ref()[..SIGNATURE]);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// The key of an item of a list that [`Page::before`] continues.
#[must_use]
pub fn newest_key(time: Timestamp, id: Uuid) -> Vec<u8> {
    [&time.as_microsecond().to_be_bytes()[..], id.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use guardhouse_test_images::seeds::keep;
    use proptest::prelude::*;

    use super::*;

    fn next_token(pages: &Pages, scan: Scan) -> String {
        let page = pages.open(scan, 1, "").expect("the first page");
        page.close(&mut vec![[7u8; 24], [8; 24]], |key| key.to_vec())
    }

    #[test]
    fn a_token_continues_its_own_list_only() {
        let pages = Pages::new(&[1; 32]);
        let token = next_token(&pages, Scan::new("List").with("a"));
        assert!(token.len() <= 128, "the contract allows 128 characters");
        let page = pages.open(Scan::new("List").with("a"), 1, &token).expect("its own");
        assert_eq!(page.after, Some(vec![7; 24]));
        pages.open(Scan::new("List").with("b"), 1, &token).expect_err("another filter");
        pages.open(Scan::new("List"), 1, &token).expect_err("no filter");
        Pages::new(&[2; 32]).open(Scan::new("List").with("a"), 1, &token).expect_err("another server");
    }

    /// None opens the page of the fuzz target: they belong to another list, or to another server.
    #[test]
    fn seeds_are_tokens() {
        for (name, key, list) in [("another-list", 1, "Other"), ("another-server", 2, "List")] {
            let token = next_token(&Pages::new(&[key; 32]), Scan::new(list));
            Pages::new(&[1; 32]).open(Scan::new("List"), 10, &token).expect_err(name);
            keep("page_tokens", name, token.as_bytes());
        }
    }

    #[test]
    fn sizes_are_brought_into_range() {
        let pages = Pages::new(&[1; 32]);
        for (asked, size) in [(0, 50), (1, 1), (1_000, 1_000), (1_001, 1_000), (u32::MAX, 1_000)] {
            assert_eq!(pages.open(Scan::new("List"), asked, "").expect("first").size, size);
        }
    }

    #[test]
    fn the_last_page_has_no_next() {
        let page = Pages::new(&[1; 32]).open(Scan::new("List"), 2, "").expect("first");
        assert_eq!(page.close(&mut vec![[1u8], [2]], |key| key.to_vec()), "");
    }

    proptest! {
        #[test]
        fn changed_tokens_are_refused(position in 0usize..76, letter in "[A-Za-z0-9_-]") {
            let pages = Pages::new(&[1; 32]);
            let token = next_token(&pages, Scan::new("List"));
            let position = position % token.len();
            let mut changed = token.clone();
            changed.replace_range(position..=position, &letter);
            if changed != token {
                prop_assert!(pages.open(Scan::new("List"), 1, &changed).is_err());
            }
        }

        #[test]
        fn no_text_is_a_token_by_chance(text in "\\PC{1,140}") {
            prop_assert!(Pages::new(&[1; 32]).open(Scan::new("List"), 1, &text).is_err());
        }
    }
}
