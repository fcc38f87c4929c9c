//! Shadow mode: what the settings say of it, and what a person said against them.
//!
//! The policy in force is the one that was given, but for that word. What the command line says holds against every word
//! ([`Policy::shadow_held`]): who starts a copy of a store with `--shadow` pages nobody, whatever was said before.

use std::sync::Arc;

use super::Engine;
use crate::domain::policy::Policy;
use crate::domain::shadow::ShadowWord;

impl Engine {
    /// The policy as it was given, without what people said since.
    #[must_use]
    pub const fn given_policy(&self) -> &Arc<Policy> {
        &self.given
    }

    /// What a person said of shadow mode; `None` = it is as the settings say.
    #[must_use]
    pub fn shadow_word(&self) -> Option<&ShadowWord> {
        self.shadow.find(ShadowWord::key()).map(|slot| self.shadow.at(slot))
    }

    /// A person turns it on or off. As the settings say needs no word.
    pub(super) fn switch_shadow(&mut self, on: bool, by: &str) {
        self.shadow.remove(ShadowWord::key());
        if on != self.given.shadow {
            self.shadow.insert(ShadowWord { on, by: by.to_owned(), at: self.now() });
        }
        self.put_in_force();
    }

    /// Puts the given policy into force, with what a person said.
    pub(super) fn put_in_force(&mut self) {
        let said = self.shadow_word().map_or(self.given.shadow, |word| word.on);
        let on = said || self.given.shadow_held;
        self.policy = if on == self.given.shadow {
            Arc::clone(&self.given)
        } else {
            Arc::new(Policy { shadow: on, ..Policy::clone(&self.given) })
        };
        self.tell_after_shadow();
    }
}
