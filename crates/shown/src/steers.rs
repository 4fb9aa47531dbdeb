/// Whether a character could steer a terminal, turn a text around, or stand in it unseen.
///
/// - C0, C1 and DEL: they begin terminal sequences (title, cursor, clipboard by OSC 52).
/// - Bidirectional embeddings, overrides, isolates and marks (UAX #9), and the separators of lines and paragraphs: they make a
///   text look like another one ("Trojan Source", CVE-2021-42574).
/// - What has no width: `Default_Ignorable_Code_Point` of the Unicode Character Database, interlinear annotations, and the tag
///   characters, in which a whole text can hide.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::steers;

    #[test]
    fn what_steers_turns_around_or_hides_is_known() {
        let controls = ('\0'..='\x1f').chain('\x7f'..='\u{9f}');
        let directions =
            ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter().chain('\u{2028}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
        let unseen = ('\u{200b}'..='\u{200f}').chain('\u{2060}'..='\u{206f}').chain(['\u{feff}', '\u{ad}', '\u{3164}']);
        let tags = '\u{e0000}'..='\u{e007f}';
        for c in controls.chain(directions).chain(unseen).chain(tags) {
            assert!(steers(c), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn letters_of_all_scripts_signs_and_pictures_stay() {
        for c in " ~äßйעא日本한ไ🍾€\u{301}\u{2027}\u{202f}\u{205f}\u{2070}\u{fdff}\u{fe10}\u{fffc}".chars() {
            assert!(!steers(c), "U+{:04X}", u32::from(c));
        }
    }
}
