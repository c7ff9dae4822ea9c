//! Numbers as JSON, with every digit, whatever encoding they come from.

/// An integer of any width.
pub(super) fn push_integer<I: itoa::Integer>(number: I, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// The digits of a whole number of `10^-scale`, which is big-endian in two's complement.
pub(super) fn push_decimal(bytes: &[u8], scale: usize, out: &mut Vec<u8>) {
    let is_negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let digits = magnitude(bytes, is_negative);
    if is_negative {
        out.push(b'-');
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    out.extend_from_slice(whole.as_bytes());
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
}

/// The decimal digits of a number's magnitude.
fn magnitude(bytes: &[u8], is_negative: bool) -> String {
    if bytes.len() <= 16 {
        let sign = if is_negative { 0xff } else { 0 };
        let mut wide = [sign; 16];
        wide[16 - bytes.len()..].copy_from_slice(bytes);
        return i128::from_be_bytes(wide).unsigned_abs().to_string();
    }
    // Two's complement: all bits the other way, and one more.
    let mut rest: Vec<u8> = bytes.iter().map(|byte| if is_negative { !byte } else { *byte }).collect();
    if is_negative {
        for byte in rest.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }
    /// Nine digits at a time.
    const GROUP: u64 = 1_000_000_000;
    let mut groups = Vec::new();
    while rest.iter().any(|byte| *byte != 0) {
        let mut remainder = 0;
        for byte in &mut rest {
            let value = remainder << 8 | u64::from(*byte);
            *byte = (value / GROUP) as u8;
            remainder = value % GROUP;
        }
        groups.push(remainder);
    }
    let mut digits = groups.pop().unwrap_or_default().to_string();
    digits.extend(groups.iter().rev().map(|group| format!("{group:09}")));
    digits
}
