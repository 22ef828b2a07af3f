/*
 * What the keys of a keyboard type, by layout, as X.Org describes it (xkeyboard-config).
 *
 * Four lines for each: alone, with Shift, with AltGr, with both; a blank where a key types nothing by itself.
 * `dead` names the keys that wait for the next one: the accent, the key, and in which of the four lines it stands.
 */

/** The keys in the order of the lines, as browsers call them. */
export const keys = [
  "Backquote", "Digit1", "Digit2", "Digit3", "Digit4", "Digit5", "Digit6", "Digit7",
  "Digit8", "Digit9", "Digit0", "Minus", "Equal", "KeyQ", "KeyW", "KeyE",
  "KeyR", "KeyT", "KeyY", "KeyU", "KeyI", "KeyO", "KeyP", "BracketLeft",
  "BracketRight", "KeyA", "KeyS", "KeyD", "KeyF", "KeyG", "KeyH", "KeyJ",
  "KeyK", "KeyL", "Semicolon", "Quote", "Backslash", "IntlBackslash", "KeyZ", "KeyX",
  "KeyC", "KeyV", "KeyB", "KeyN", "KeyM", "Comma", "Period", "Slash",
];

export const layouts = {
  us: {
    lines: [
      "`1234567890-=qwertyuiop[]asdfghjkl;'\\ zxcvbnm,./",
      "~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:\"| ZXCVBNM<>?",
      "`1234567890-=qwertyuiop[]asdfghjkl;'\\ zxcvbnm,./",
      "~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:\"| ZXCVBNM<>?",
    ],
    dead: {},
  },
  gb: {
    lines: [
      "`1234567890-=qwertyuiop[]asdfghjkl;'#\\zxcvbnm,./",
      "¬!\"£$%^&*()_+QWERTYUIOP{}ASDFGHJKL:@~|ZXCVBNM<>?",
      "|¹²³€½¾{[]}\\ @ſe¶ŧ←↓→øþ  æßðđŋħ ĸł   |«»¢„“”µ•· ",
      "|¡⅛£¼⅜⅝⅞™±°¿ Ω§E®Ŧ¥↑ıØÞ  ÆẞÐªŊĦ &Ł   ¦<>©‚‘’º×÷ ",
    ],
    dead: {
      "¸": ["Equal", 2],
      "¨": ["BracketLeft", 2],
      "~": ["BracketRight", 2],
      "´": ["Semicolon", 2],
      "^": ["Quote", 2],
      "`": ["Backslash", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["Quote", 3],
    },
  },
  de: {
    lines: [
      " 1234567890ß qwertzuiopü+asdfghjklöä#<yxcvbnm,.-",
      "°!\"§$%&/()=? QWERTZUIOPÜ*ASDFGHJKLÖÄ'>YXCVBNM;:_",
      "′¹²³¼½¬{[]}\\ @ſ€¶ŧ←↓→øþ ~æſðđŋħ ĸł  ’|»«¢„“”µ·…–",
      "″¡⅛£¤⅜⅝⅞™±°¿ Ω§€®Ŧ¥↑ıØÞ ¯ÆẞÐªŊĦ &Ł    ›‹©‚‘’º×÷—",
    ],
    dead: {
      "^": ["Backquote", 0],
      "´": ["Equal", 0],
      "`": ["Equal", 1],
      "¸": ["Equal", 2],
      "¨": ["BracketLeft", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["Quote", 3],
    },
  },
  ch: {
    lines: [
      "§1234567890' qwertzuiopü asdfghjklöä$<yxcvbnm,.-",
      "°+\"*ç%&/()=? QWERTZUIOPè!ASDFGHJKLéà£>YXCVBNM;:_",
      "¬|@#¼½¬|¢]}  @ſ€¶ŧ←↓→œþ[]æßðđŋħ ĸł {}\\«»¢„“”µ•· ",
      "¬¡⅛£$⅜⅝⅞™±°¿ Ω§E®Ŧ¥↑ıŒÞ  ÆẞÐªŊĦ &Ł   ¦<>©‚‘’º×÷ ",
    ],
    dead: {
      "^": ["Equal", 0],
      "¨": ["BracketRight", 0],
      "`": ["Equal", 1],
      "´": ["Minus", 2],
      "~": ["Equal", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["Quote", 3],
    },
  },
  "ch-fr": {
    lines: [
      "§1234567890' qwertzuiopè asdfghjkléà$<yxcvbnm,.-",
      "°+\"*ç%&/()=? QWERTZUIOPü!ASDFGHJKLöä£>YXCVBNM;:_",
      "¬|@#¼½¬|¢]}  @ſ€¶ŧ←↓→œþ[]æßðđŋħ ĸł {}\\«»¢„“”µ•· ",
      "¬¡⅛£$⅜⅝⅞™±°¿ Ω§E®Ŧ¥↑ıŒÞ  ÆẞÐªŊĦ &Ł   ¦<>©‚‘’º×÷ ",
    ],
    dead: {
      "^": ["Equal", 0],
      "¨": ["BracketRight", 0],
      "`": ["Equal", 1],
      "´": ["Minus", 2],
      "~": ["Equal", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["Quote", 3],
    },
  },
  fr: {
    lines: [
      "²&é\"'(-è_çà)=azertyuiop $qsdfghjklmù*<wxcvbn,;:!",
      "~1234567890°+AZERTYUIOP £QSDFGHJKLM%µ>WXCVBN?./§",
      "¬¹~#{[|`\\^@]}æ«€¶ŧ←↓→øþ ¤@ßðđŋħ ĸłµ  |ł»¢„“” •· ",
      "¬¡⅛£$⅜⅝⅞™±°¿ Æ<¢®Ŧ¥↑ıØÞ  ΩẞÐªŊĦ &Łº  ¦Ł>©‚‘’ ×÷ ",
    ],
    dead: {
      "^": ["BracketLeft", 0],
      "¨": ["BracketLeft", 1],
      "`": ["Backslash", 2],
      "´": ["KeyM", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["Quote", 3],
    },
  },
  be: {
    lines: [
      "²&é\"'(§è!çà)-azertyuiop $qsdfghjklmùµ<wxcvbn,;:=",
      "³1234567890°_AZERTYUIOP *QSDFGHJKLM%£>WXCVBN?./+",
      "¬|@#¼½^{[{}\\ @ſ€¶ŧ←↓→œþ[]æßðđŋħ ĸł   \\«»¢„“” •· ",
      "¬¡⅛£$⅜⅝⅞™±°¿ Ω§¢®Ŧ¥↑ıŒÞ  ÆẞÐªŊĦ &Ł   \\<>©‚‘’º×÷ ",
    ],
    dead: {
      "^": ["BracketLeft", 0],
      "¨": ["BracketLeft", 1],
      "¸": ["Equal", 2],
      "´": ["Semicolon", 2],
      "`": ["Backslash", 2],
      "~": ["Slash", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["Quote", 3],
    },
  },
  es: {
    lines: [
      "º1234567890'¡qwertyuiop +asdfghjklñ ç<zxcvbnm,.-",
      "ª!\"·$%&/()=?¿QWERTYUIOP *ASDFGHJKLÑ Ç>ZXCVBNM;:_",
      "\\|@#~½¬{[]}\\ @ſ€¶ŧ←↓→øþ[]æßðđŋħ ĸł {}|«»¢„“”µ•· ",
      "\\¡⅛£$⅜⅝⅞™±°¿ Ω§¢®Ŧ¥↑ıØÞ  ÆẞÐªŊĦ &Ł   ¦<>©‚‘’º×÷ ",
    ],
    dead: {
      "`": ["BracketLeft", 0],
      "´": ["Quote", 0],
      "^": ["BracketLeft", 1],
      "¨": ["Quote", 1],
      "¸": ["Equal", 2],
      "~": ["Semicolon", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["Quote", 3],
    },
  },
  latam: {
    lines: [
      "|1234567890'¿qwertyuiop +asdfghjklñ{}<zxcvbnm,.-",
      "°!\"#$%&/()=?¡QWERTYUIOP *ASDFGHJKLÑ[]>ZXCVBNM;:_",
      "¬|@·~½¬{[]}\\ @ſ€¶ŧ←↓→øþ ~æßðđŋħ ĸł~  \\«»¢„“”µ•· ",
      "¬¡⅛£$⅜⅝⅞™±°¿ Ω§¢®Ŧ¥↑ıØÞ  ÆẞÐªŊĦ &Ł {}|<>©‚‘’º×÷ ",
    ],
    dead: {
      "´": ["BracketLeft", 0],
      "¨": ["BracketLeft", 1],
      "¸": ["Equal", 2],
      "^": ["Quote", 2],
      "`": ["Backslash", 2],
      "˚": ["BracketLeft", 3],
    },
  },
  it: {
    lines: [
      "\\1234567890'ìqwertyuiopè+asdfghjklòàù<zxcvbnm,.-",
      "|!\"£$%&/()=?^QWERTYUIOPé*ASDFGHJKLç°§>ZXCVBNM;:_",
      "¬¹²³¼½¬{[]}`~@ſ€¶ŧ←↓→øþ[]æßðđŋħ ĸł@# ««»¢“”ñµ · ",
      "¦¡  ⅛⅜⅝⅞™± ¿ Ω§¢®Ŧ¥↑ıØÞ{}ÆẞÐªŊĦ &Ł   »<>©‘’Ñº× ÷",
    ],
    dead: {
      "`": ["Backslash", 2],
      "´": ["Comma", 2],
      "~": ["Digit3", 3],
      "^": ["Equal", 3],
      "¸": ["Semicolon", 3],
      "˚": ["Quote", 3],
      "¨": ["Period", 3],
    },
  },
  pt: {
    lines: [
      "\\1234567890'«qwertyuiop+ asdfghjklçº <zxcvbnm,.-",
      "|!\"#$%&/()=?»QWERTYUIOP* ASDFGHJKLÇª >ZXCVBNM;:_",
      "¬¹@£§½¬{[]}\\ @ſ€¶ŧ←↓→øþ  æßðđŋħ ĸł   \\«»¢„“”µ•· ",
      "¬¡⅛£$⅜⅝⅞™±°¿ Ω§¢®Ŧ¥↑ıØÞ  ÆẞÐªŊĦ &Ł   \\<>©‚‘’º×÷ ",
    ],
    dead: {
      "´": ["BracketRight", 0],
      "~": ["Backslash", 0],
      "`": ["BracketRight", 1],
      "^": ["Backslash", 1],
      "¸": ["Equal", 2],
      "¨": ["BracketLeft", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["Quote", 3],
    },
  },
  br: {
    lines: [
      "'1234567890-=qwertyuiop [asdfghjklç ]\\zxcvbnm,.;",
      "\"!@#$% &*()_+QWERTYUIOP {ASDFGHJKLÇ }|ZXCVBNM<>:",
      "¬¹²³£¢¬{[]}\\§/?°®ŧ←↓→øþ´ªæßðđŋħ ĸł ~º «»©„“”µ•· ",
      "¬¡½¾¼⅜¨⅞™±°¿ /?°®Ŧ¥↑ıØÞ` ÆẞÐªŊĦ &Ł ^º <>©‚‘’µ×÷ ",
    ],
    dead: {
      "´": ["BracketLeft", 0],
      "~": ["Quote", 0],
      "¨": ["Digit6", 1],
      "`": ["BracketLeft", 1],
      "^": ["Quote", 1],
      "ˇ": ["IntlBackslash", 2],
    },
  },
  "us-intl": {
    lines: [
      " 1234567890-=qwertyuiop[]asdfghjkl; \\ zxcvbnm,./",
      " !@#$% &*()_+QWERTYUIOP{}ASDFGHJKL: | ZXCVBNM<>?",
      "`¡²³¤€¼½¾‘’¥×äåé®þüúíóö«»áßðfghjœø¶'¬ æx©vbñµç ¿",
      "~¹  £ ^     ÷ÄÅÉ®ÞÜÚÍÓÖ“”Á§ÐFGHJŒØ°\"¦ ÆX¢VBÑµÇ  ",
    ],
    dead: {
      "`": ["Backquote", 0],
      "´": ["Quote", 0],
      "~": ["Backquote", 1],
      "^": ["Digit6", 1],
      "¨": ["Quote", 1],
      "¸": ["Digit5", 3],
      "˚": ["Digit0", 3],
      "ˇ": ["Period", 3],
    },
  },
  dk: {
    lines: [
      "½1234567890+ qwertyuiopå asdfghjklæø'<zxcvbnm,.-",
      "§!\"#¤%&/()=? QWERTYUIOPÅ ASDFGHJKLÆØ*>ZXCVBNM;:_",
      "¾¡@£$½¥{[]}±|@ſ€®þ←↓→œþ  ªßðđŋħ ĸł   \\«»©„“”µ · ",
      "¶¹²³¼¢⅝÷«»°¿¦Ω§¢®Þ¥↑ıŒÞ  ºẞÐªŊĦ &Ł  ×¬<>©‚‘’º   ",
    ],
    dead: {
      "´": ["Equal", 0],
      "¨": ["BracketRight", 0],
      "`": ["Equal", 1],
      "^": ["BracketRight", 1],
      "~": ["BracketRight", 2],
      "¸": ["Comma", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["BracketRight", 3],
    },
  },
  no: {
    lines: [
      "|1234567890+\\qwertyuiopå asdfghjkløæ'<zxcvbnm,.-",
      "§!\"#¤%&/()=? QWERTYUIOPÅ ASDFGHJKLØÆ*>ZXCVBNM;:_",
      "¦¡@£$½¥{[]}± @ſ€®þ←↓→œπ  ªßðđŋħ ĸł   ½«»©„“”µ …–",
      "¶¹²³¼‰⅝÷«»°¿¬Ω§¢™Þ¥↑ıŒΠ  ºẞÐªŊĦ &Ł  ×¾<>©‚‘’º ·—",
    ],
    dead: {
      "¨": ["BracketRight", 0],
      "`": ["Equal", 1],
      "^": ["BracketRight", 1],
      "´": ["Equal", 2],
      "~": ["BracketRight", 2],
      "¸": ["Comma", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["BracketRight", 3],
    },
  },
  se: {
    lines: [
      "§1234567890+ qwertyuiopå asdfghjklöä'<zxcvbnm,.-",
      "½!\"#¤%&/()=? QWERTYUIOPÅ ASDFGHJKLÖÄ*>ZXCVBNM;:_",
      "¶¡@£$€¥{[]}\\±@ſ€®þ←↓→œþ  ªßðđŋħ ĸłøæ´|«»©„“”µ · ",
      "¾¹²³¼¢⅝÷«»°¿¬Ω§¢®Þ¥↑ıŒÞ  ºẞÐªŊĦ &ŁØÆ×¦<>©‚‘’º   ",
    ],
    dead: {
      "´": ["Equal", 0],
      "¨": ["BracketRight", 0],
      "`": ["Equal", 1],
      "^": ["BracketRight", 1],
      "~": ["BracketRight", 2],
      "¸": ["Comma", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["BracketRight", 3],
    },
  },
  fi: {
    lines: [
      "§1234567890+ qwertyuiopå asdfghjklöä'<zxcvbnm,.-",
      "½!\"#¤%&/()=? QWERTYUIOPÅ ASDFGHJKLÖÄ*>ZXCVBNM;:_",
      "  @£$‰‚{[]}\\ qw€rþyuıœ   əßðfghjĸ øæ |ʒ×cvbŋµ’ –",
      " ¡”»«“„ <>°¿ QW RÞYU|Œ   ƏẞÐFGHJ  ØÆ ¦Ʒ·CVBŊ—‘  ",
    ],
    dead: {
      "´": ["Equal", 0],
      "¨": ["BracketRight", 0],
      "`": ["Equal", 1],
      "^": ["BracketRight", 1],
      "¸": ["Equal", 2],
      "~": ["BracketRight", 2],
      "ˇ": ["Backslash", 2],
      "˚": ["BracketLeft", 3],
    },
  },
  pl: {
    lines: [
      "`1234567890-=qwertyuiop[]asdfghjkl;'\\ zxcvbnm,./",
      "~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:\"| ZXCVBNM<>?",
      "¬≠²³¢€½§·«»– πœę©ß←↓→óþ  ąśðæŋ’ə…ł    żźć„”ńµ≤≥ ",
      "∨¡¿£¼‰∧≈¾±°— ΩŒĘ®™¥↑↔ÓÞ  ĄŚÐÆŊ•Ə Ł    ŻŹĆ‘“Ń∞×÷ ",
    ],
    dead: {
      "¸": ["Equal", 2],
      "¨": ["BracketLeft", 2],
      "~": ["BracketRight", 2],
      "´": ["Semicolon", 2],
      "^": ["Quote", 2],
      "`": ["Backslash", 2],
      "˚": ["BracketLeft", 3],
      "ˇ": ["Quote", 3],
    },
  },
  cz: {
    lines: [
      ";+ěščřžýáíé= qwertzuiopú)asdfghjklů§ \\yxcvbnm,.-",
      " 1234567890% QWERTZUIOP/(ASDFGHJKL\"!'|YXCVBNM?:_",
      "`!@#$%^&*{}\\ \\|€¶ŧ←↓→øþ[]~đĐ[]`'łŁ$'\\/°#&@{}^<>*",
      "~            Ω§E®Ŧ¥↑ıØÞ÷×ÆẞÐªŊĦ &Ł ß|¦<>©‚‘’º×÷ ",
    ],
    dead: {
      "´": ["Equal", 0],
      "¨": ["Backslash", 0],
      "˚": ["Backquote", 1],
      "ˇ": ["Equal", 1],
      "~": ["Digit1", 3],
      "^": ["Digit3", 3],
      "`": ["Digit7", 3],
      "¸": ["Equal", 3],
    },
  },
  hu: {
    lines: [
      "0123456789öüóqwertzuiopőúasdfghjkléáűíyxcvbnm,.-",
      "§'\"+!%/=()ÖÜÓQWERTZUIOPŐÚASDFGHJKLÉÁŰÍYXCVBNM?:_",
      "¬~ ^   `     \\|Ä¶ŧ–€Í„”÷×äđĐ[]ħíłŁ$ß¤<>#&@{}<;>*",
      "¬ ˇ ˘°˛ ˙´˝¨¸Ω§E®Ŧ¥↑íØÞ  ÄẞÐªŊĦÍ&Ł¢ẞ ><>©‚‘’º×÷ ",
    ],
    dead: {
      "ˇ": ["Digit2", 2],
      "˚": ["Digit5", 2],
      "´": ["Digit9", 2],
      "¨": ["Minus", 2],
      "¸": ["Equal", 2],
      "~": ["Digit1", 3],
      "^": ["Digit3", 3],
      "`": ["Digit7", 3],
    },
  },
};
