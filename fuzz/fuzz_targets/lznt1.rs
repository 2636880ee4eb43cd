//! The compression of NTFS.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guardhouse_image::file_system::lznt1(bytes));
