//! Values that are written out, such as `1.5` or `"none"`: of each it is known what it is, whatever is asked for. An expression may become what is
//! asked for, by inference or by a coercion, so a gate must not stand in front of it.

use proc_macro2::TokenStream;

use super::units::{self, Amount};

/// Whether it is a literal that rustc would only call mismatched where something else is asked for. Of an integer it says how to write it as a
/// float or a `String`.
pub(crate) fn is_plain(tokens: &TokenStream) -> bool {
    let value = match syn::parse2::<syn::ExprUnary>(tokens.clone()) {
        Ok(syn::ExprUnary { op: syn::UnOp::Neg(_), expr, .. }) => syn::parse2(quote::quote!(#expr)),
        _ => syn::parse2::<syn::Lit>(tokens.clone()),
    };
    match value {
        Ok(syn::Lit::Int(number)) => matches!(units::read(&number.to_string()), Some(Amount::Micros(_))),
        Ok(_) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_what_is_written_out_is_plain() {
        let plain = |text: &str| is_plain(&text.parse().unwrap());
        for text in ["1.5", "-1.5", "true", "'x'", "\"none\"", "1h"] {
            assert!(plain(text), "{text}");
        }
        for text in ["5", "-5", "64KiB", "1.5.into()", "None", "f(1.5)", "!true", "-x", "1.5 + x"] {
            assert!(!plain(text), "{text}");
        }
    }
}
