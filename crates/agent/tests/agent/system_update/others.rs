//! With the package managers of other distributions.
