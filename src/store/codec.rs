//! How values are written: little building blocks and the macros that put structures together.
//! Numbers are LEB128, signed ones zigzag, texts have their length before them. Every list length
//! is checked against what is left of the input, so damaged bytes cannot ask for memory.

use crate::domain::discrepancy::Discrepancies;
use crate::domain::{Code, PersonKey, Time};
use std::sync::Arc;

/// Bytes that are not what was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// What is left to read.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn length(&mut self) -> Result<usize, Malformed> {
        let length = usize::try_from(u64::get(self)?).map_err(|_| Malformed)?;
        if length > self.0.len() { Err(Malformed) } else { Ok(length) }
    }
}

/// Something that can be written and read back.
pub trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed>;
}

/// The version byte of every stored value.
pub const VALUE_VERSION: u8 = 1;

/// A whole value: version byte first.
pub fn encode<T: Wire>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.push(VALUE_VERSION);
    value.put(&mut out);
    out
}

/// The same into a buffer that is used again.
pub fn encode_into<T: Wire>(value: &T, out: &mut Vec<u8>) {
    out.clear();
    out.push(VALUE_VERSION);
    value.put(out);
}

/// Reads a whole value; bytes left over are damage.
pub fn decode<T: Wire>(bytes: &[u8]) -> Result<T, Malformed> {
    let (version, rest) = bytes.split_first().ok_or(Malformed)?;
    if *version != VALUE_VERSION {
        return Err(Malformed);
    }
    let mut input = Input(rest);
    let value = T::get(&mut input)?;
    if input.0.is_empty() { Ok(value) } else { Err(Malformed) }
}

impl Wire for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut left = *self;
        while left >= 0x80 {
            out.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        out.push(left as u8);
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = input.take(1)?[0];
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(Malformed);
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

impl Wire for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        (((*self << 1) ^ (*self >> 63)).cast_unsigned()).put(out);
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let raw = u64::get(input)?;
        Ok((raw >> 1).cast_signed() ^ -((raw & 1).cast_signed()))
    }
}

macro_rules! narrow {
    ($($type:ty),+) => { $(
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                u64::from(*self).put(out);
            }
            fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
                <$type>::try_from(u64::get(input)?).map_err(|_| Malformed)
            }
        }
    )+ };
}
narrow!(u8, u16, u32);

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        match input.take(1)?[0] {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }
}

impl Wire for Code {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let length = input.length()?;
        Code::from_utf8(input.take(length)?).map_err(|_| Malformed)
    }
}

impl Wire for PersonKey {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(PersonKey(input.take(16)?.try_into().map_err(|_| Malformed)?))
    }
}

impl Wire for [u8; 32] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        input.take(32)?.try_into().map_err(|_| Malformed)
    }
}

impl Wire for Time {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(Time(i64::get(input)?))
    }
}

impl Wire for Discrepancies {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(Discrepancies(u64::get(input)?))
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        self.iter().for_each(|item| item.put(out));
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let length = input.length()?;
        (0..length).map(|_| T::get(input)).collect()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(item) = self {
            item.put(out);
        }
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        if bool::get(input)? { T::get(input).map(Some) } else { Ok(None) }
    }
}

impl<T: Wire> Wire for Arc<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_ref().put(out);
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        T::get(input).map(Arc::new)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok((A::get(input)?, B::get(input)?))
    }
}

/// A structure: its fields one after the other.
macro_rules! wire_struct {
    ($name:ty { $($field:ident),* $(,)? }) => {
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $( $field.put(out); )*
            }
            fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
                $( let $field = Wire::get(input)?; )*
                Ok(Self { $($field),* })
            }
        }
    };
}

/// A closed list with numbers of its own.
macro_rules! wire_coded {
    ($($name:ty),+ $(,)?) => { $(
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.push(self.number());
            }
            fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
                <$name>::from_number(input.take(1)?[0]).ok_or(Malformed)
            }
        }
    )+ };
}

/// A choice: a number, then the fields. Numbers are for ever. `field as Way` is written by the
/// functions of `Way`.
macro_rules! wire_enum {
    ($name:ident { $($number:literal => $variant:ident $(( $($part:ident),* ))? $({ $($field:ident $(as $way:ident)?),* })? ;)+ }) => {
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self { $(
                    $name::$variant $(( $($part),* ))? $({ $($field),* })? => {
                        out.push($number);
                        $( $( $part.put(out); )* )?
                        $( $( wire_enum!(@put out, $field $(, $way)?); )* )?
                    }
                )+ }
            }
            fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
                match input.take(1)?[0] {
                    $( $number => {
                        $( $( let $part = Wire::get(input)?; )* )?
                        $( $( let $field = wire_enum!(@get input $(, $way)?); )* )?
                        Ok($name::$variant $(( $($part),* ))? $({ $($field),* })?)
                    } )+
                    _ => Err(Malformed),
                }
            }
        }
    };
    (@put $out:ident, $field:ident) => { $field.put($out) };
    (@put $out:ident, $field:ident, $way:ident) => { $way::put($field, $out) };
    (@get $input:ident) => { Wire::get($input)? };
    (@get $input:ident, $way:ident) => { $way::get($input)? };
}
pub(super) use {wire_coded, wire_enum, wire_struct};
