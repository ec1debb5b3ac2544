//! The queue of events: bounded, because nobody has to read it.

use alloc::collections::VecDeque;

use crate::mka::Event;

/// Events that wait to be read at the most.
pub(in crate::mka) const MAX_EVENTS: usize = 256;

/// Events in their order; the oldest go when there is no room.
#[derive(Debug, Default)]
pub(in crate::mka) struct Events {
    queue: VecDeque<Event>,
    dropped: u64,
}

impl Events {
    /// Adds one, in place of the oldest if there is no room.
    pub(in crate::mka) fn push(&mut self, event: Event) {
        if self.queue.len() >= MAX_EVENTS {
            self.queue.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        self.queue.push_back(event);
    }

    /// Takes the oldest.
    pub(in crate::mka) fn pop(&mut self) -> Option<Event> {
        self.queue.pop_front()
    }

    /// Events that nobody read in time.
    pub(in crate::mka) const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_there_is_no_room_and_is_counted() {
        let mut events = Events::default();
        events.push(Event::Principal(None));
        for _ in 0..MAX_EVENTS {
            events.push(Event::KeyServer(None));
        }
        assert_eq!(events.dropped(), 1);
        let mut read = 0;
        while let Some(event) = events.pop() {
            assert_eq!(event, Event::KeyServer(None));
            read += 1;
        }
        assert_eq!(read, MAX_EVENTS);
    }
}
