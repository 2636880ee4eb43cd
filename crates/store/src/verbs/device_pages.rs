//! Devices in pages that say how many there are.

use guardhouse_model::DeviceId;
use uuid::Uuid;

use crate::{
    Device, DeviceCondition, DevicePage, DevicePageFilter, Paged, Store, StoreError,
    engine::Transaction,
    verbs::{
        agentless::conditions::Conditions,
        devices::{COLUMNS, from_row},
    },
};

/// The devices, and what is known of them that conditions look at; `$1` and `$2` are the range of [`conditions`]. Its columns are
/// not called as those of devices are.
const FROM: &str = "devices left join (
         select device_uuid, display_name as given_name, original_display_name as own_name, operating_system,
             operating_system_family, primary_address
         from device_facts where device_uuid > $1 and device_uuid <= $2
     ) facts on facts.device_uuid = devices.uuid";

impl Store {
    /// A page of devices in the order of their ids, which is that in which they came, and how many there are on all pages.
    pub async fn devices_page(
        &self,
        filter: DevicePageFilter,
        page: DevicePage,
    ) -> Result<Paged<Device>, StoreError> {
        self.engine
            .read(move |transaction| {
                let mut wanted = conditions(transaction, &filter, None);
                let count = format!("select count(*) from {FROM}{}", wanted.clause());
                let total = transaction.find(&count, &wanted.values(&[]), |row| row.get::<u64>(0))?;
                let (skip, size) = match page {
                    DevicePage::Numbered(page) => (page.skip, page.size),
                    DevicePage::After(after, size) => {
                        wanted = conditions(transaction, &filter, after);
                        (0, size)
                    }
                };
                let (limit, offset) = (wanted.value(size), wanted.value(skip));
                let sql = format!(
                    "select {COLUMNS} from {FROM}{} order by uuid limit {limit} offset {offset}",
                    wanted.clause()
                );
                let rows = transaction.list(&sql, &wanted.values(&[]), from_row)?;
                Ok(Paged { rows, total: total.unwrap_or(0) })
            })
            .await
    }
}

/// What the filter asks for, of the devices after one of them.
///
/// There is always a range of ids, even where it is all of them: by that the databases find the order.
fn conditions<'a>(
    transaction: &Transaction<'_>,
    filter: &'a DevicePageFilter,
    after: Option<DeviceId>,
) -> Conditions<'a> {
    let mut wanted = Conditions::new(transaction);
    wanted.compares("uuid >", after.map_or(Uuid::nil(), |after| after.0));
    wanted.compares("uuid <=", Uuid::max());
    let texts: Vec<String> =
        filter.conditions.iter().map(|condition| self::condition(&mut wanted, condition)).collect();
    if !texts.is_empty() {
        let both = if filter.needs_all { " and " } else { " or " };
        wanted.holds(&format!("({})", texts.join(both)));
    }
    wanted
}

fn condition<'a>(wanted: &mut Conditions<'a>, condition: &'a DeviceCondition) -> String {
    let never = || "1 = 0".to_owned();
    let always = || "1 = 1".to_owned();
    match condition {
        DeviceCondition::Is(device) => format!("uuid = {}", wanted.value(*device)),
        DeviceCondition::PublicAddress(address) => {
            format!("public_ip_address = {}", wanted.value(address))
        }
        DeviceCondition::Named(part) => {
            wanted.in_one_of(&["given_name", "own_name"], part.as_str()).unwrap_or_else(always)
        }
        DeviceCondition::System(part) => {
            wanted.in_one_of(&["operating_system"], part.as_str()).unwrap_or_else(always)
        }
        DeviceCondition::OwnAddress(address) if address.is_empty() => never(),
        DeviceCondition::OwnAddress(address) => {
            format!("primary_address = {}", wanted.value(address.as_bytes()))
        }
        DeviceCondition::Family(family) => format!("operating_system_family = {}", wanted.value(*family)),
        DeviceCondition::Never => never(),
    }
}
