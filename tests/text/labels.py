"""Hand labels of real reviews, keyed by a digest of the text; the texts lie in ../shared/data.

All were labelled by one person who read the text before any code was run on it.

`TOPICS`: ninety reviews a language (English, Chinese, Indonesian), drawn at random among those
of some length, with every demand that the review is about, and whether the writer leaves.

`PRAISE`: five-star reviews of three apps that had bursts of them, half of each app's from those
that the code sets aside and half from the others, shuffled. ``own`` tells something of the
writer's own (a use, a wish, a fault, a comparison); ``empty`` says what anybody could say who had
never opened the app.
"""

from __future__ import annotations

import hashlib

__all__ = ["CODES", "PRAISE", "TOPICS", "digest"]


def digest(text: str) -> str:
    """The key of a text: ten hexadecimal digits.

    >>> digest("good")
    'b69496690c'
    """
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


CODES = {
    "c": "crashing and freezing",
    "s": "speed",
    "l": "signing in",
    "n": "connection",
    "u": "updates",
    "a": "adverts",
    "o": "notifications",
    "p": "price and payment",
    "m": "moving money",
    "h": "support",
    "v": "privacy and safety",
    "k": "look and layout",
    "e": "ease of use",
    "y": "sound and calls",
    "i": "pictures and video",
    "g": "messages and chats",
    "q": "search and answers",
    "b": "storage and battery",
    "t": "language",
    "d": "delivery and goods",
    "z": "devices",
    "x": "bans and accounts lost",
}

TOPICS = {
    "en": """
        2dd58795eb:q 289837d6d8:i 5ca926f4c0:- 3cba548472:- 5efc9db71e:q c9c8d16434:- 8a296c94bb:q
        9aadc83dc5:q acbcc526a3:p be8af2a560:q c6871182e4:- 7e6f9db816:p e0fd3b455c:- 59197fcd67:-
        a304695149:- 3caa2951bc:- 47ceee9a2f:ul 4592257513:- 09c70070bb:q 2152994869:- 93b6e43027:q
        713c7f17fe:- 4b0df19362:- 36acc49454:p 2ee518d392:s ffb7ff5ac5:y 324a9c7c47:o 54398ff0aa:l
        fefe35a800:v 38d93e34b1:o 4ef35764d1:uk 7be8e292aa:g 7b51b746c1:p 6ddd2ae35a:y 35d678f729:y
        97703a899e:- 885b654193:- d9bf3345be:- 0a62e7bc5a:q 4bc63a6b3e:- 3cda14bc3a:u a463f4da21:q
        b8d2de54ab:- 1ae4302740:- f4d1c96724:e aa01561c93:- a90617be77:q 1a9e8a37d5:q c90b527505:-
        b8c8ad3d27:q d88d6a3ad3:- 11887a45b0:- 33b8a6a2a8:- e6f8aafffc:- 9b05def677:- d8091a9e84:-
        f55d6bded6:q cd3e0cc49e:q dad2bc25ac:y 8d68bcef56:- 0ce0bc8b86:- 1adbdeea73:l e540dbabee:l
        de444d569b:l c7eabf044e:l b3bcf4eeac:g 18a9065b19:- 7dc66bcf00:lh d3158af667:- 423b23c7b2:l
        35f970591d:l a3cf0f2dc2:v e7e95bd17f:c 12ef44ef0c:hn f17c749f59:nu eec2dc8afd:i
        0694be5a57:yg 15e6b4de4a:h 52d5409c8e:c aff9e0414a:- c224c92634:- 55ab149243:- c9f22e698f:l
        c884eeca4c:xh 3835c3dfff:- b6a4f840d9:l 8c5b0059f3:- 7ca57c3753:l c282b71486:- 20c164a863:-
    """,
    "zh": """
        4723638aa7:n d84c208d34:c d5e209147a:cu 365748103b:- e35ff6a1c6:c ef82c5f078:- 322cbc3ea8:cu
        9457aee737:c e173268844:cu f665dfbf36:c 8216c326d6:c bf78186d87:u c5145b6c19:- 3e360d93fe:-
        e0e2867446:-+ dcc40daf99:- d85c87101e:- fba31010a6:- 7c742b9680:dp f701887d4a:c b355ad8e28:d
        1cd3f2ce56:- 7acd91e5ce:- 017ba375ea:c 853ef3fe26:- f15da1b673:- fd9c23bbe7:- e1e4318a03:-
        aea43052e2:- 82b14a2b04:- d5b8de391f:e e987cf35e2:- 7be8ef6fa6:k 9611ecd6bb:- 5746df7cec:p
        0799d6c90d:- 56cb067833:p+ 6ef773c921:- 1d348104d3:- 8081f14aaf:z 4a4d35f943:- c53f8127c5:e
        ff2f82b1e5:k 04fd862a7f:- 3053fe3e85:k d23336e260:- c635b32ddd:- ffa9e2a1aa:h 1da485d8d5:z
        5a4f0d30f2:- 0abe4bbd34:n 026c88210b:e f4c89912be:- d381edd7c4:- 186b7e7b1b:- 7dff22b273:-
        fe62f72e5d:- 51e754e429:n 62a3e795fd:k 80eb40ee03:- 80f0e302b8:- 613aa9c644:zu 20f803f7bc:uz
        a01ce1aed8:nz 9feb9de7d4:v 11114dc2bd:- 67cf8080ad:- 52ebd595b7:- 6ef83b58dc:zh 9b2fc7aec5:s
        35aeaf7b91:- d55cbcffff:znuh 18d96a549f:nz 84b78d6831:- c80680da54:us ab03db6565:n
        bfcd1a503d:- 3ca90ef892:nz b2c4eb09bd:z d8c0ec9f71:- 28b3dee77b:- d2d568d52a:cu d55ce623fe:c
        d6b2d6ce95:z cd37eda210:ku 043c09abef:cuzh e02e6ee9e5:- 0cd66941a2:a 284df35c65:nuz
        0ffa3eb733:unz
    """,
    "id": """
        c026b76295:mvse f4bd0289ed:e 0b64292c9f:m+ 151d3c1fdf:me f00f2fb336:kme d1867f633e:em
        e028394623:le 9b7ba40039:- 58ee054e7a:em c2c0454dbb:lm a96b9f6270:cm c9f6b830b0:l
        d3da4c6837:kem 9af43d6bcd:ke 18ee3399f4:mb 0236afb9a1:ke 68039db771:- d3125fe7e4:cm
        e9b0ae9771:mu cc481f0fba:l 551918af2a:m 40d93622a8:- 476f752d9f:n 9217d140aa:nm c2765ddf57:c
        7ab6606f2f:s 9644457557:c 2f6408ed04:- d32c56828c:mc 8fac7ec401:-+ 156333ea74:n 3f42251490:-
        f9801a6c3c:n b19e6b6720:n 184cebfeaf:m d4807a86b7:hc be3c17601a:l fdac489903:- eb5befef5c:e
        7a9c8507e3:l 621b4ee6f3:l 752a14b680:c ee30e85e6d:c 39c19566c2:s 5128f639a9:m 794d43db81:h
        fc179fc8f4:l 83501c3f50:l df78c17253:l 96e1359bf6:lm 7ed8429006:h fdadb5b536:l+
        af4e25c04a:lm 6ebd522e59:le e1d38d1289:l+ 36b16756a3:e 6ea453b1e9:k f2ee61e317:m
        2610c281ad:ke e245d4832e:em 130158aa2c:kes 7575087753:e d69a6547e4:kes 7669e9352e:em
        bd59a1fc51:- 395a7ca9fb:kems 02ecec14f8:e 061d95f51f:em 939c90c36d:- 51460cab71:ek
        23c64d6782:lem f063300f8e:mse fdb94f1cc9:m e5372af6ba:m 5c23313fd9:em 16c3e01dff:ls
        d8ef205db8:mp 8fad2cd6f5:s 7b24f477cb:l ba184851aa:e b262038dda:l c6fd31e817:sm 0231287f37:l
        0268f4f703:e 499c57b007:ev 67cc266f68:l bcce7f2038:em e9c23e4202:kes 30154cc389:-
        f72a19e485:e
    """,
}
"""Drawn at random; codes of `CODES`, a dash for none, a plus where the writer leaves."""

PRAISE = {
    "zh": """
        9587d722a1:own 5dc958f018:empty e8f4666fc3:empty d9cd21f976:own f86bb8461e:empty
        5cff03f181:empty 3e49599c44:own f9eeda0345:empty e16ab297fd:empty 03c1367233:empty
        812bdc94bd:own c258bcd5a2:empty 0007a49eda:own d0fa592ba7:own 8e3639f2ea:empty
        49829704bc:empty 756948b073:own fd46fe652f:empty a93f9ecc09:empty 9220de4c3b:empty
        8367348420:own ec3c9d55ce:empty 445ede3b53:empty 36735bc6f2:empty 632f3e3fd8:empty
        a90c5755be:own eb63ade435:empty 05e6dfc875:own 0609498c5c:empty d7abd66880:empty
        f568e70ff4:empty b90bed6f7c:empty ee2566792e:empty 9966578cda:empty 4e77627ad7:own
        026c88210b:empty 9139e942d2:empty 9b6a7c791e:empty 8b95bb059b:own 10db8b260b:empty
        156eceb34b:empty a77d939cd1:empty 7d3ebc4b50:own 17fea42b22:empty 3c0d5b637f:own
        7ede0ed41c:empty 13f65a3aa3:empty 7b3985731c:own 188e0dd2ab:empty ec4e11598f:own
        0d80fcffae:empty cad9ee2973:own c00641e4ad:empty a4346cfe16:own e334c5746d:own
        d218308206:empty 51c78d0d20:own 9ef613d793:empty 23a3352e70:own cb77a77e76:empty
        f057809f89:empty 30c7d9e05a:empty 180e5e8de2:empty 05e46aaa6b:empty 8d99d6cd63:empty
        91a94fc2de:empty ae6d793f43:empty 3764a894ca:own 62d43c65dc:empty b0904dd03c:own
        a8e2cd0519:empty a6076df32f:own dbc73d1110:empty 9a1237f995:empty 6154994e32:own
        f2feffa2e6:empty 43b86e6d97:empty 698ec1c1c1:own bc03694805:empty aad00edf7b:empty
    """,
    "id": """
        b8385ebcf3:empty 4faf417680:empty 495dfc24b6:empty 5fa3814470:empty cd5e60d752:empty
        731f0c240c:empty a71b7988ad:empty 73c26e9e92:own 48ffb7fb69:own c089b7eb4b:empty
        171a7d9926:empty de0d29b327:empty bcfdd0e19f:empty ab23b09b62:empty 388b872ccf:empty
        18d8552556:empty 58deca2c1c:empty f2f9b0511b:empty c43ced2794:empty c5cae21b3c:empty
        b6de2ce149:empty 1cba1bcf2a:empty a47364ed05:empty 652b625ae6:empty 6660d4fdef:own
        328275849f:own 5b35677792:empty 714adca671:empty 59bacaaa3c:own 44091677a9:empty
        c22d1eceee:empty f00f2fb336:empty b5261c9af4:empty 9b4a778519:empty 77e5f75670:empty
        e5a2c81839:empty 870d56ef86:empty c3e763f65f:own 71dd95e7b5:empty 3c7c4066ce:empty
    """,
}
