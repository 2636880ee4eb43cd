//! The analyser that finds packages: the formats of `guardhouse-packages`, seen as one analyser per project.

use guardhouse_packages::{Claim, Class, Format, Found as FoundIn, Input, formats};

use crate::{
    analyser::{Analyser, Candidate, Found, Interest},
    event::{Project, Trouble},
    walk::ScannedFile,
};

/// Finds packages of one class.
#[derive(Clone, Copy, Debug)]
pub struct PackageAnalyser {
    class: Class,
}

impl PackageAnalyser {
    /// For the packages that a project is about.
    #[must_use]
    pub fn new(project: Project) -> Self {
        let class = match project {
            Project::Vul => Class::System,
            Project::ScaVul => Class::Language,
        };
        Self { class }
    }

    fn formats<'a>(&self, claim: Claim<'a>) -> impl Iterator<Item = &'static Format> + use<'a> {
        let class = self.class;
        formats().filter(move |format| format.class == class && (format.claims)(&claim))
    }
}

impl Analyser for PackageAnalyser {
    fn name(&self) -> &'static str {
        match self.class {
            Class::System => "system packages",
            Class::Language => "language packages",
        }
    }

    fn project(&self) -> Project {
        match self.class {
            Class::System => Project::Vul,
            Class::Language => Project::ScaVul,
        }
    }

    fn interest(&self, candidate: &Candidate<'_>) -> Interest {
        match self.formats(claim(candidate)).next() {
            Some(_) => Interest::Reads,
            None => Interest::None,
        }
    }

    fn look(&self, file: &mut ScannedFile<'_>, found: &mut dyn FnMut(Found)) {
        let path = file.path().clone();
        let metadata = *file.metadata();
        let candidate = Candidate { path: &path, metadata: &metadata };
        for format in self.formats(claim(&candidate)) {
            let mut input = Input { path: path.as_bytes(), source: file };
            let read = (format.read)(&mut input, &mut |it| {
                found(match it {
                    FoundIn::Package(package) => {
                        Found::Package { format: format.name, package: Box::new(package) }
                    }
                    FoundIn::Limit(message) => Found::Trouble {
                        kind: Trouble::Limit,
                        message: format!("{}: {message}", format.name),
                    },
                });
            });
            if let Err(error) = read {
                let kind = trouble(&error);
                found(Found::Trouble { kind, message: format!("{}: {error}", format.name) });
            }
        }
    }
}

fn claim<'a>(candidate: &Candidate<'a>) -> Claim<'a> {
    Claim {
        path: candidate.path.as_bytes(),
        size: candidate.metadata.size,
        executable: candidate.metadata.mode & 0o111 != 0,
    }
}

fn trouble(error: &guardhouse_packages::ParseError) -> Trouble {
    use guardhouse_packages::ParseError;
    match error {
        ParseError::TooLarge { .. } => Trouble::Limit,
        ParseError::Malformed(_) | ParseError::Unsupported(_) => Trouble::Malformed,
        ParseError::Io(_) => Trouble::Unreadable,
    }
}
