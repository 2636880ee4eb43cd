//! Answers that their clients come back for.

use std::ops::Range;

use guardhouse_model::Timestamp;
use guardhouse_store::{NewResponse, ResponseOutcome};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    pools::{SECONDS, at, spread},
};

pub const RESPONSES: Range<u8> = 0..4;
pub const REQUESTS: Range<u8> = 0..2;
/// Some expire before the moments that commands are given at are over.
const EXPIRIES: Range<u8> = 10..40;

/// A call that was put off.
#[derive(Debug)]
pub struct KeptResponse {
    request: [u8; 32],
    answer: Option<Vec<u8>>,
    expire_time: Timestamp,
}

impl Model {
    /// Sweeps those that have expired. There are never so many that one sweep does not take them all.
    pub fn response_add(&mut self, response: NewResponse, now: Timestamp) -> Result<(), Refusal> {
        let NewResponse { id, request, expire_time } = response;
        if self.responses.get(&id).is_some_and(|kept| kept.expire_time > now) {
            return Err(Refusal::Taken);
        }
        self.responses.retain(|_, kept| kept.expire_time > now);
        self.responses.insert(id, KeptResponse { request, answer: None, expire_time });
        Ok(())
    }

    pub fn response_complete(&mut self, id: Uuid, answer: Vec<u8>, expire_time: Timestamp) -> bool {
        let Some(kept) = self.responses.get_mut(&id).filter(|kept| kept.answer.is_none()) else {
            return false;
        };
        (kept.answer, kept.expire_time) = (Some(answer), expire_time);
        true
    }

    pub fn response_take(&mut self, id: Uuid, request: [u8; 32], now: Timestamp) -> ResponseOutcome {
        match self.responses.get(&id) {
            Some(kept) if kept.request == request && kept.expire_time > now => match kept.answer.clone() {
                Some(answer) => {
                    self.responses.remove(&id);
                    ResponseOutcome::Answer(answer)
                }
                None => ResponseOutcome::Running,
            },
            _ => ResponseOutcome::Unknown,
        }
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Add { response: u8, request: u8, expire: u8, now: u8 },
    Complete { response: u8, answer: Vec<u8>, expire: u8 },
    Take { response: u8, request: u8, now: u8 },
}

pub fn creations() -> impl Strategy<Value = Command> {
    (RESPONSES, REQUESTS, EXPIRIES, SECONDS).prop_map(|(response, request, expire, now)| Command::Add {
        response,
        request,
        expire,
        now,
    })
}

pub fn commands() -> impl Strategy<Value = Command> {
    let answers = prop::collection::vec(any::<u8>(), 0..3);
    prop_oneof![
        2 => creations(),
        2 => (RESPONSES, answers, EXPIRIES)
            .prop_map(|(response, answer, expire)| Command::Complete { response, answer, expire }),
        3 => (RESPONSES, REQUESTS, SECONDS)
            .prop_map(|(response, request, now)| Command::Take { response, request, now }),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Add { response, request, expire, now } => {
            let new = NewResponse { id: spread(response), request: [request; 32], expire_time: at(expire) };
            agree!(bench.response_add(new.clone(), at(now))?);
        }
        Command::Complete { response, answer, expire } => {
            agree!(bench.response_complete(spread(response), answer.clone(), at(expire)));
        }
        Command::Take { response, request, now } => {
            agree!(bench.response_take(spread(response), [request; 32], at(now)));
        }
    }
    Ok(())
}
