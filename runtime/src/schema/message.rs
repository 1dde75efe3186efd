//! [`Message`]: text put together in a constant, where nothing can be allocated.

/// How many bytes a message holds; what is more is cut off.
const ROOM: usize = 900;

/// Text of bounded length that is built in a constant, to panic with.
#[derive(Clone, Copy)]
pub struct Message {
    bytes: [u8; ROOM],
    length: usize,
}

impl Message {
    /// No text.
    #[expect(clippy::new_without_default, reason = "a const fn, which Default cannot be")]
    pub const fn new() -> Self {
        Message { bytes: [0; ROOM], length: 0 }
    }

    /// Appends text; text that does not fit whole is cut at a character.
    pub const fn put(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut end = bytes.len();
        if end > ROOM - self.length {
            end = ROOM - self.length;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
        }
        let mut i = 0;
        while i < end {
            self.bytes[self.length] = bytes[i];
            self.length += 1;
            i += 1;
        }
        self
    }

    /// Appends a number.
    pub const fn put_number(self, number: usize) -> Self {
        let digit = match number % 10 {
            0 => "0",
            1 => "1",
            2 => "2",
            3 => "3",
            4 => "4",
            5 => "5",
            6 => "6",
            7 => "7",
            8 => "8",
            _ => "9",
        };
        if number < 10 { self.put(digit) } else { self.put_number(number / 10).put(digit) }
    }

    /// The text.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_at_a_character() {
        let mut message = Message::new();
        for _ in 0..ROOM {
            message = message.put("é!");
        }
        assert_eq!(message.as_str(), "é!".repeat(ROOM / 3));
        let odd = Message::new().put("!").put(&"é".repeat(ROOM));
        assert_eq!(odd.as_str().len(), ROOM - 1);
    }
}
