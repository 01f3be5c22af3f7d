//! A gossipsub router, which has nothing to do with its messages but to pass them on.

use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, IdentTopic, Message, MessageAuthenticity, MessageId, ValidationMode,
};
use libp2p::identity::Keypair;

use crate::{Fallible, USAGE};

const TOPIC: &str = "ggen-bench";
const ID_SIZE: usize = 8;

/// What a message has to have.
#[derive(Clone, Copy)]
pub enum Policy {
    Signed,
    Unsigned,
}

impl Policy {
    pub fn find(name: &str) -> Fallible<Self> {
        match name {
            "signed" => Ok(Policy::Signed),
            "unsigned" => Ok(Policy::Unsigned),
            _ => Err(USAGE.into()),
        }
    }

    /// In the topic.
    pub fn router(self, key: &Keypair) -> Fallible<Behaviour> {
        let mut config = ConfigBuilder::default();
        let authenticity = match self {
            Policy::Signed => MessageAuthenticity::Signed(key.clone()),
            Policy::Unsigned => {
                config.validation_mode(ValidationMode::Anonymous).message_id_fn(id_in_data);
                MessageAuthenticity::Anonymous
            }
        };
        let mut behaviour = Behaviour::new(authenticity, config.build()?)?;
        behaviour.subscribe(&IdentTopic::new(TOPIC))?;
        Ok(behaviour)
    }
}

fn id_in_data(message: &Message) -> MessageId {
    MessageId::from(&message.data[..ID_SIZE.min(message.data.len())])
}
