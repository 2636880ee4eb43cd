use guardhouse_store::KeyRecord;

use crate::support::{Fixture, at};

pub async fn the_first_key_of_a_name_stays(f: &Fixture) {
    let key = |byte: u8| KeyRecord { secret: vec![byte], certificate: Some(vec![byte, byte]) };
    assert_eq!(f.store.key_get("authority").await.expect("reads"), None);

    let other_process = f.replica().await;
    let (first, second) = tokio::join!(
        f.store.key_settle("authority", key(1), at(0)),
        other_process.key_settle("authority", key(2), at(0)),
    );
    let settled = first.expect("writes");
    assert_eq!(second.expect("writes"), settled, "both go on with the same key");
    assert_eq!(f.store.key_get("authority").await.expect("reads"), Some(settled));

    let plain = KeyRecord { secret: vec![3], certificate: None };
    assert_eq!(f.store.key_settle("token-signing", plain.clone(), at(0)).await.expect("writes"), plain);
    assert_eq!(format!("{plain:?}"), "KeyRecord(…)", "secrets stay out of logs");
}
