use guardhouse_contract::policies::{self, FeaturePolicy};
use guardhouse_model::{AssignmentId, groups::ALL};
use guardhouse_store::{Device, Policy, PolicyTarget};
use prost_types::Any;
use uuid::Uuid;

use super::*;

/// A house with two devices.
async fn house() -> (Store, [DeviceId; 2]) {
    let store = Store::in_memory().expect("memory");
    let devices = [1, 2].map(|number| DeviceId(Uuid::from_u128(number)));
    let placeholders = devices.map(|id| Device::placeholder(id, ALL, id.to_string()));
    store.devices_import(ALL, placeholders.to_vec()).await.expect("writes").expect("a group");
    (store, devices)
}

fn policy_id(number: u128) -> PolicyId {
    PolicyId(Uuid::from_u128(number))
}

async fn create(store: &Store, number: u128, features: Vec<u8>) {
    let policy =
        Policy { id: policy_id(number), display_name: String::new(), description: String::new(), features };
    store.policy_create(policy).await.expect("writes");
}

async fn assign(store: &Store, number: u128, target: PolicyTarget) {
    let assignment = AssignmentId(policy_id(number).0);
    store.policy_assign(assignment, policy_id(number), target).await.expect("writes");
}

/// A kept policy with settings of a vendor for feature `feature_id`.
fn foreign(feature_id: u32, value: Vec<u8>) -> Vec<u8> {
    let payload = Any { type_url: "type.googleapis.com/Vendor.Settings".to_owned(), value };
    let feature = FeaturePolicy { configuration: Some(payload), feature_id, flags: HashMap::new() };
    policies::Policy { features: vec![feature], ..Default::default() }.encode_to_vec()
}

fn features(document: &Document) -> Vec<u32> {
    document.effective.features.iter().map(|feature| feature.feature_id).collect()
}

#[tokio::test]
async fn devices_with_the_same_policies_share_a_document() {
    let (store, [one, other]) = house().await;
    let policies = Policies::new(store.clone());
    let nobody = DeviceId(Uuid::from_u128(99));
    for document in policies.of_devices(vec![one, nobody]).await.expect("reads") {
        assert!(document.effective.is_empty());
    }

    create(&store, 1, foreign(1, vec![1])).await;
    create(&store, 2, foreign(2, vec![2])).await;
    assign(&store, 1, PolicyTarget::Group(ALL)).await;
    let first = policies.of_devices(vec![one, other]).await.expect("reads");
    assert_eq!(features(&first[0]), [1]);
    assert!(Arc::ptr_eq(&first[0], &first[1]));

    assign(&store, 2, PolicyTarget::Device(other)).await;
    let second = policies.of_devices(vec![other, one]).await.expect("reads");
    assert_eq!(features(&second[0]), [1, 2]);
    assert!(Arc::ptr_eq(&first[0], &second[1]), "what was merged once stays");
}

#[tokio::test]
async fn what_cannot_be_read_is_not_there() {
    let (store, [device, _]) = house().await;
    create(&store, 1, vec![0xff; 7]).await;
    create(&store, 2, foreign(2, vec![2])).await;
    for number in [1, 2] {
        assign(&store, number, PolicyTarget::Group(ALL)).await;
    }
    let policies = Policies::new(store);
    for _ in 0..2 {
        let documents = policies.of_devices(vec![device]).await.expect("reads");
        assert_eq!(features(&documents[0]), [2]);
    }
    let gone = policies.documents(&[vec![policy_id(2), policy_id(3)]]).await.expect("reads");
    assert_eq!(features(&gone[0]), [2], "a policy that was deleted at this moment is not there, either");
}

#[tokio::test]
async fn what_no_frame_can_carry_is_not_delivered() {
    let (store, _) = house().await;
    // As large as a request can be.
    let vendors = 0x0080_0000;
    let lists: Vec<Vec<PolicyId>> = [1_u128, 3, 4].map(|most| (1..=most).map(policy_id).collect()).to_vec();
    for number in 1..=4_u32 {
        create(&store, number.into(), foreign(number, vec![0; vendors])).await;
    }
    let documents = Policies::new(store).documents(&lists).await.expect("reads");
    let deliverable: Vec<_> = documents.iter().map(|document| document.is_deliverable()).collect();
    assert_eq!(deliverable, [true, true, false]);
    for document in documents.iter().filter(|document| document.is_deliverable()) {
        let frame = document.effective.frame().encoded_len();
        assert!((document.size - 64..document.size).contains(&frame), "{frame} of {}", document.size);
    }
}
