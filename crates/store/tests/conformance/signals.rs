use guardhouse_store::Signal;

use crate::support::Fixture;

pub async fn what_is_announced_is_heard_where_others_can_listen(f: &Fixture) {
    // Where nobody can listen there is nothing to tell, and nothing fails.
    f.store.announce("nobody listens yet".to_owned()).await.expect("works");
    let Some(mut listener) = f.store.listen() else { return };
    assert_eq!(listener.next().await, Signal::Deaf, "it begins to listen");
    for (store, payload) in [(f.store.clone(), "one"), (f.replica().await, "two")] {
        store.announce(payload.to_owned()).await.expect("works");
        assert_eq!(listener.next().await, Signal::Payload(payload.to_owned()));
    }
}
