//! Which machine an agent runs on, as it tells it.

use guardhouse_contract::{FieldViolation, Status, link::MachineIdentity};
use guardhouse_model::machines::{Digest, Machine};

/// Reads what an agent tells. Nothing said is nothing known.
///
/// # Errors
/// A digest is none: the agent is not one of ours.
pub fn machine(said: Option<&MachineIdentity>) -> Result<Machine, Status> {
    let Some(said) = said else { return Ok(Machine::default()) };
    Ok(Machine {
        uuid: digest("uuidDigest", &said.uuid_digest)?,
        serial_number: digest("serialNumberDigest", &said.serial_number_digest)?,
        boot: digest("bootDigest", &said.boot_digest)?,
    })
}

fn digest(field: &str, bytes: &[u8]) -> Result<Option<Digest>, Status> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let wrong = format!("has {} bytes; a SHA-256 has 32", bytes.len());
    let violation = || FieldViolation::new(format!("machine.{field}"), wrong);
    bytes.try_into().map(Some).map_err(|_| Status::invalid_fields(vec![violation()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_have_32_bytes_or_are_not_known() {
        assert_eq!(machine(None).expect("nothing"), Machine::default());
        assert_eq!(machine(Some(&MachineIdentity::default())).expect("nothing"), Machine::default());
        let said = MachineIdentity { uuid_digest: vec![7; 32], ..Default::default() };
        assert_eq!(machine(Some(&said)).expect("good").uuid, Some([7; 32]));
        for length in [1, 31, 33] {
            let said = MachineIdentity { boot_digest: vec![7; length], ..Default::default() };
            let refused = machine(Some(&said)).expect_err("no digest");
            assert_eq!((refused.http(), refused.reason()), (400, "INVALID_ARGUMENT"), "{length} bytes");
        }
    }
}
