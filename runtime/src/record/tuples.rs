//! Records and rows side by side: tuples of up to twelve.

use super::{Record, Row};
use crate::codec::{CodecError, Reader};
use crate::schema::Schema;

macro_rules! tuples {
    ($(($($type:ident $i:tt),+))*) => { $(
        impl<$($type: Record),+> Record for ($($type,)+) {
            const SCHEMA: &'static Schema = &Schema::Tuple(&[$($type::SCHEMA),+]);
            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$i.encode(out);)+
            }
            #[inline]
            fn decode(from: &mut Reader<'_>) -> Result<Self, CodecError> {
                Ok(($($type::decode(from)?,)+))
            }
        }

        impl<$($type: Row),+> Row for ($($type,)+) {
            type Stored = ($($type::Stored,)+);
            #[inline]
            fn store(self) -> Self::Stored {
                ($(self.$i.store(),)+)
            }
        }
    )* };
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
}
