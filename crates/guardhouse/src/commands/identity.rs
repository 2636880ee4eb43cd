//! `guardhouse identity`

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use guardhouse_contract::management::{
    AnswerIdentityQuestionRequest, ListIdentityQuestionsRequest, identity_question,
};

use crate::{
    client::{Client, ConnectionArgs},
    output::{OutputFormat, identity_questions},
};

/// Decide about machines that seem to be a device and are not the one that is known: copies, and changed hardware.
#[derive(Debug, Subcommand)]
pub enum IdentityCommand {
    /// List the questions that wait for an answer.
    List {
        /// Those that were answered, too.
        #[arg(long)]
        all: bool,
    },
    /// Answer a question.
    Answer {
        /// The question, by uuid.
        question: String,

        /// What the other machine is.
        #[arg(value_enum)]
        answer: AnswerArg,
    },
}

/// What the other machine is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum AnswerArg {
    /// The device itself: its hardware changed, or it was installed anew.
    SameDevice,
    /// A device of its own: it enrols by itself.
    AnotherDevice,
}

impl IdentityCommand {
    /// Carries out the command.
    ///
    /// # Errors
    /// The server refuses or cannot be reached.
    pub async fn run(self, connection: ConnectionArgs, output: OutputFormat) -> anyhow::Result<ExitCode> {
        let client = Client::connect(connection)?;
        match self {
            Self::List { all } => {
                let filter = ListIdentityQuestionsRequest { include_answered: all, ..Default::default() };
                let answer = client.list_identity_questions(filter).await?;
                output.show(&answer, |answer| identity_questions::questions(&answer.identity_questions))?;
            }
            Self::Answer { question, answer } => {
                let answer = match answer {
                    AnswerArg::SameDevice => identity_question::Answer::SameDevice,
                    AnswerArg::AnotherDevice => identity_question::Answer::AnotherDevice,
                };
                let request =
                    AnswerIdentityQuestionRequest { question_uuid: question, answer: answer.into() };
                let answer = client.answer_identity_question(&request).await?;
                output.show(&answer, |answer| identity_questions::questions(&answer.identity_question))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
