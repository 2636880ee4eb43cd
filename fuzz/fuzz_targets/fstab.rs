//! `/etc/fstab` and the names of devices in it, `/etc/os-release` and its older forms.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| guardhouse_image::tree::fuzzing::files(bytes));
