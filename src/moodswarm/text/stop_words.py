"""Words that say nothing about the topic of a sentence; a lexical query leaves them out."""

_ENGLISH = """
a about after all also am an and any are aren't as at be because been before being between both but
by can can't could did didn't do does doesn't doing don't during each either few for from further
had has have having he her here hers him his how however i if in into is isn't it its itself just
may me might more most must my no nor not of off on once one only or other our ours out over own
please should so some such than that the their theirs them then there these they this those through
to too under until up upon us very was we were what when where whether which while who whom whose
why will with within without would you your yours s t d ll m re ve don doesn didn isn aren can won
"""

_FRENCH = """
a ai au aux avec c ce ces cet cette comme comment d dans de des du elle en est et eux fait il ils j
je l la le les leur leurs lui m ma mais me mes moi mon n ne nos notre nous on ont ou où par pas
peut peuvent plus pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se ses si
son sont sur t ta te tes toi ton tu un une vos votre vous y à été être
"""

_GERMAN = """
aber als am an auch auf aus bei bin bis da damit das dass dein dem den der des die dies diese
diesem diesen dieser dieses doch du durch ein eine einem einen einer eines er es für haben hat ich
ihr ihre ihren im in ist ja kann kein keine können man mein mit nach nicht noch nur ob oder sein
seine sich sie sind so um und uns unser unter vom von vor war warum was welche welcher welches wenn
wer werden wie wir wird wo wurde während zu zum zur über
"""

_SPANISH = """
a al como con cual cuál cuando cuándo cómo de del desde donde dónde el ella ellos en entre era es
esa ese eso esta este esto está están fue ha han hay la las le les lo los me mi muy más ni no nos o
para pero por porque puede qué que quien quién se ser si sin sobre son su sus también te tiene tu
un una uno y ya yo
"""

#: Stop words, by Snowball language. In other languages, common words stay in the query, but rare
#: words outweigh them.
STOP_WORDS: dict[str, frozenset[str]] = {
    "english": frozenset(_ENGLISH.split()),
    "french": frozenset(_FRENCH.split()),
    "german": frozenset(_GERMAN.split()),
    "spanish": frozenset(_SPANISH.split()),
}
