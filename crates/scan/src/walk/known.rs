//! Without a walk: the places where package managers keep their databases.

use std::ops::ControlFlow;

use guardhouse_image::{FileKind, FilePath, ReadError, tree::TreePlace};

use super::{Sweep, worker::Hands};
use crate::positions::Positions;

/// Databases, and folders of them: dpkg (Debian; distroless images), rpm (Berkeley DB, SQLite, ndb; before and after
/// the move to `/usr`), apk (before and after the move to `/usr`).
const PLACES: &[&str] = &[
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/status.d",
    "/usr/lib/sysimage/rpm",
    "/usr/share/rpm",
    "/var/lib/rpm",
    "/usr/lib/apk/db/installed",
    "/lib/apk/db/installed",
];

/// How many files of one of these folders are looked at.
const FILES: usize = 100_000;

impl Sweep<'_> {
    /// Looks at the known places only.
    pub(super) fn known_paths(&self, positions: &Positions) {
        let mut hands = match self.hands(positions, 0) {
            Ok(hands) => hands,
            Err(error) => return self.unreadable(None, &error),
        };
        // The old place of a database is often a link to the new one.
        let mut seen = Vec::new();
        for place in PLACES {
            let path = FilePath::new(place.as_bytes());
            hands.slot.set(Some(self.number), &path, "find");
            if let Err(error) = self.known_path(&mut hands, &path, &mut seen) {
                self.unreadable(Some(&path), &error);
            }
        }
        hands.slot.clear();
    }

    fn known_path(
        &self,
        hands: &mut Hands,
        path: &FilePath,
        seen: &mut Vec<(usize, u64)>,
    ) -> Result<(), ReadError> {
        if self.apart.contains(path) {
            return Ok(());
        }
        let Some(place) = hands.reader.find(path)? else { return Ok(()) };
        let id = (place.mount, place.place.node);
        if seen.contains(&id) || !self.count_file(&place.path) {
            return Ok(());
        }
        seen.push(id);
        match hands.reader.metadata(&place)?.kind {
            FileKind::File => self.files(hands, vec![place]),
            FileKind::Folder => {
                let files = self.files_in(hands, &place)?;
                self.files(hands, files);
            }
            FileKind::Symlink | FileKind::Other => {}
        }
        Ok(())
    }

    fn files_in(&self, hands: &mut Hands, folder: &TreePlace) -> Result<Vec<TreePlace>, ReadError> {
        let mut files = Vec::new();
        hands.reader.read_folder(folder, &mut |entry, place| {
            if files.len() >= FILES {
                return ControlFlow::Break(());
            }
            let is_file = entry.kind.is_none_or(|kind| kind == FileKind::File);
            if is_file && !self.apart.contains(&place.path) && self.count_file(&place.path) {
                files.push(place);
            }
            ControlFlow::Continue(())
        })?;
        if files.len() >= FILES {
            return Err(ReadError::Limit {
                what: "files in a folder of package databases",
                limit: FILES as u64,
            });
        }
        Ok(files)
    }
}
