"""Countries and North American states by every name senders write, as their ISO codes.

Sources: ISO 3166-1 (codes), CLDR (names in English, French and the country's own language), ISO 3166-2:US and :CA.
XK (Kosovo) is user-assigned in ISO 3166, and in use at every payment processor.
"""

from __future__ import annotations

import unicodedata
from functools import cache

_COUNTRIES = """
AD AND Andorra|Andorre
AE ARE United Arab Emirates|Émirats arabes unis|UAE
AF AFG Afghanistan
AG ATG Antigua and Barbuda|Antigua et Barbuda
AI AIA Anguilla
AL ALB Albania|Albanie|Shqipëria
AM ARM Armenia|Arménie
AO AGO Angola
AQ ATA Antarctica|Antarctique
AR ARG Argentina|Argentine
AS ASM American Samoa|Samoa américaines
AT AUT Austria|Autriche|Österreich
AU AUS Australia|Australie
AW ABW Aruba
AX ALA Åland Islands|Îles Åland
AZ AZE Azerbaijan|Azerbaïdjan
BA BIH Bosnia and Herzegovina|Bosnie-Herzégovine
BB BRB Barbados|Barbade
BD BGD Bangladesh
BE BEL Belgium|Belgique|België
BF BFA Burkina Faso
BG BGR Bulgaria|Bulgarie
BH BHR Bahrain|Bahreïn
BI BDI Burundi
BJ BEN Benin|Bénin
BL BLM Saint Barthélemy|Saint-Barthélemy|St. Barts
BM BMU Bermuda|Bermudes
BN BRN Brunei|Brunei Darussalam
BO BOL Bolivia|Bolivie
BQ BES Caribbean Netherlands|Pays-Bas caribéens|Bonaire
BR BRA Brazil|Brésil|Brasil
BS BHS Bahamas|The Bahamas
BT BTN Bhutan|Bhoutan
BV BVT Bouvet Island|Île Bouvet
BW BWA Botswana
BY BLR Belarus|Biélorussie|Bélarus
BZ BLZ Belize
CA CAN Canada
CC CCK Cocos Islands|Îles Cocos
CD COD Democratic Republic of the Congo|République démocratique du Congo|DR Congo|RDC|Congo-Kinshasa
CF CAF Central African Republic|République centrafricaine
CG COG Congo|Republic of the Congo|République du Congo|Congo-Brazzaville
CH CHE Switzerland|Suisse|Schweiz|Svizzera
CI CIV Ivory Coast|Côte d'Ivoire
CK COK Cook Islands|Îles Cook
CL CHL Chile|Chili
CM CMR Cameroon|Cameroun
CN CHN China|Chine
CO COL Colombia|Colombie
CR CRI Costa Rica
CU CUB Cuba
CV CPV Cape Verde|Cap-Vert|Cabo Verde
CW CUW Curaçao
CX CXR Christmas Island|Île Christmas
CY CYP Cyprus|Chypre
CZ CZE Czech Republic|Czechia|République tchèque|Tchéquie|Česko|Česká republika
DE DEU Germany|Allemagne|Deutschland
DJ DJI Djibouti
DK DNK Denmark|Danemark|Danmark
DM DMA Dominica|Dominique
DO DOM Dominican Republic|République Dominicaine|República Dominicana
DZ DZA Algeria|Algérie
EC ECU Ecuador|Équateur
EE EST Estonia|Estonie|Eesti
EG EGY Egypt|Égypte
EH ESH Western Sahara|Sahara Occidental
ER ERI Eritrea|Érythrée
ES ESP Spain|Espagne|España
ET ETH Ethiopia|Éthiopie
FI FIN Finland|Finlande|Suomi
FJ FJI Fiji|Fidji
FK FLK Falkland Islands|Îles Malouines|Îles Falkland
FM FSM Micronesia|Micronésie
FO FRO Faroe Islands|Îles Féroé
FR FRA France
GA GAB Gabon
GB GBR United Kingdom|Royaume-Uni|UK|Great Britain|Grande-Bretagne
GB GBR England|Angleterre|Scotland|Écosse|Wales|Pays de Galles|Northern Ireland|Irlande du Nord
GD GRD Grenada|Grenade
GE GEO Georgia|Géorgie
GF GUF French Guiana|Guyane française
GG GGY Guernsey|Guernesey
GH GHA Ghana
GI GIB Gibraltar
GL GRL Greenland|Groenland
GM GMB Gambia|Gambie|The Gambia
GN GIN Guinea|Guinée
GP GLP Guadeloupe
GQ GNQ Equatorial Guinea|Guinée équatoriale
GR GRC Greece|Grèce
GS SGS South Georgia and the South Sandwich Islands|Géorgie du Sud et îles Sandwich du Sud
GT GTM Guatemala
GU GUM Guam
GW GNB Guinea-Bissau|Guinée-Bissau
GY GUY Guyana
HK HKG Hong Kong
HM HMD Heard Island and McDonald Islands|Îles Heard et McDonald
HN HND Honduras
HR HRV Croatia|Croatie|Hrvatska
HT HTI Haiti|Haïti
HU HUN Hungary|Hongrie|Magyarország
ID IDN Indonesia|Indonésie
IE IRL Ireland|Irlande|Éire|Republic of Ireland
IL ISR Israel
IM IMN Isle of Man|Île de Man
IN IND India|Inde
IO IOT British Indian Ocean Territory|Territoire britannique de l'océan Indien
IQ IRQ Iraq|Irak
IR IRN Iran|Islamic Republic of Iran
IS ISL Iceland|Islande|Ísland
IT ITA Italy|Italie|Italia
JE JEY Jersey
JM JAM Jamaica|Jamaïque
JO JOR Jordan|Jordanie
JP JPN Japan|Japon
KE KEN Kenya
KG KGZ Kyrgyzstan|Kirghizistan
KH KHM Cambodia|Cambodge
KI KIR Kiribati
KM COM Comoros|Comores
KN KNA Saint Kitts and Nevis|Saint-Christophe-et-Niévès
KP PRK North Korea|Corée du Nord
KR KOR South Korea|Corée du Sud|Republic of Korea|Korea
KW KWT Kuwait|Koweit
KY CYM Cayman Islands|Îles Caïmans
KZ KAZ Kazakhstan
LA LAO Laos|Lao People's Democratic Republic
LB LBN Lebanon|Liban
LC LCA Saint Lucia|Sainte-Lucie
LI LIE Liechtenstein
LK LKA Sri Lanka
LR LBR Liberia|Libéria
LS LSO Lesotho
LT LTU Lithuania|Lithuanie|Lietuva
LU LUX Luxembourg
LV LVA Latvia|Lettonie|Latvija
LY LBY Libya|Libye
MA MAR Morocco|Maroc
MC MCO Monaco
MD MDA Moldova|Moldavie|Republic of Moldova
ME MNE Montenegro|Monténégro
MF MAF Saint Martin|Saint-Martin
MG MDG Madagascar
MH MHL Marshall Islands|Îles Marshall
MK MKD North Macedonia|Macédoine du Nord|Macedonia|Macédoine
ML MLI Mali
MM MMR Myanmar|Birmanie|Burma
MN MNG Mongolia|Mongolie
MO MAC Macao|Macau
MP MNP Northern Mariana Islands|Îles Mariannes du Nord
MQ MTQ Martinique
MR MRT Mauritania|Mauritanie
MS MSR Montserrat
MT MLT Malta|Malte
MU MUS Mauritius|Maurice|Île Maurice
MV MDV Maldives
MW MWI Malawi
MX MEX Mexico|Mexique
MY MYS Malaysia|Malaisie
MZ MOZ Mozambique
NA NAM Namibia|Namibie
NC NCL New Caledonia|Nouvelle-Calédonie
NE NER Niger
NF NFK Norfolk Island|Île Norfolk
NG NGA Nigeria|Nigéria
NI NIC Nicaragua
NL NLD Netherlands|Pays-Bas|Nederland|The Netherlands|Holland
NO NOR Norway|Norvège|Norge
NP NPL Nepal|Népal
NR NRU Nauru
NU NIU Niue
NZ NZL New Zealand|Nouvelle-Zélande
OM OMN Oman
PA PAN Panama
PE PER Peru|Pérou|Perú
PF PYF French Polynesia|Polynésie Française
PG PNG Papua New Guinea|Papouasie-Nouvelle-Guinée
PH PHL Philippines
PK PAK Pakistan
PL POL Poland|Pologne|Polska
PM SPM Saint Pierre and Miquelon|Saint-Pierre-et-Miquelon
PN PCN Pitcairn
PR PRI Puerto Rico|Porto Rico
PS PSE Palestine|State of Palestine
PT PRT Portugal
PW PLW Palau|Palaos
PY PRY Paraguay
QA QAT Qatar
RE REU Réunion|La Réunion
RO ROU Romania|Roumanie
RS SRB Serbia|Serbie
RU RUS Russia|Russie|Russian Federation
RW RWA Rwanda
SA SAU Saudi Arabia|Arabie Saoudite
SB SLB Solomon Islands|Îles Salomon
SC SYC Seychelles
SD SDN Sudan|Soudan
SE SWE Sweden|Suède|Sverige
SG SGP Singapore|Singapour
SH SHN Saint Helena|Sainte-Hélène
SI SVN Slovenia|Slovénie|Slovenija
SJ SJM Svalbard and Jan Mayen|Svalbard et Jan Mayen
SK SVK Slovakia|Slovaquie|Slovensko
SL SLE Sierra Leone
SM SMR San Marino|Saint-Marin
SN SEN Senegal|Sénégal
SO SOM Somalia|Somalie
SR SUR Suriname
SS SSD South Sudan|Soudan du Sud
ST STP São Tomé and Príncipe|Sao Tomé-et-Principe
SV SLV El Salvador
SX SXM Sint Maarten
SY SYR Syria|Syrie|Syrian Arab Republic
SZ SWZ Eswatini|Swaziland
TC TCA Turks and Caicos Islands|Îles Turques-et-Caïques
TD TCD Chad|Tchad
TF ATF French Southern Territories|Terres australes françaises
TG TGO Togo
TH THA Thailand|Thaïlande
TJ TJK Tajikistan|Tadjikistan
TK TKL Tokelau
TL TLS Timor-Leste|Timor oriental|East Timor
TM TKM Turkmenistan|Turkménistan
TN TUN Tunisia|Tunisie
TO TON Tonga
TR TUR Turkey|Turquie|Türkiye
TT TTO Trinidad and Tobago|Trinité-et-Tobago
TV TUV Tuvalu
TW TWN Taiwan|Taïwan
TZ TZA Tanzania|Tanzanie|United Republic of Tanzania
UA UKR Ukraine
UG UGA Uganda|Ouganda
UM UMI United States Minor Outlying Islands|Îles mineures éloignées des États-Unis
US USA United States|États-Unis|USA|United States of America|États-Unis d'Amérique|America
UY URY Uruguay
UZ UZB Uzbekistan|Ouzbékistan
VA VAT Vatican|Vatican City|Holy See|Saint-Siège
VC VCT Saint Vincent and the Grenadines|Saint-Vincent-et-les-Grenadines
VE VEN Venezuela|Bolivarian Republic of Venezuela
VG VGB British Virgin Islands|Îles Vierges britanniques
VI VIR U.S. Virgin Islands|Îles Vierges américaines
VN VNM Vietnam|Viêt Nam
VU VUT Vanuatu
WF WLF Wallis and Futuna|Wallis-et-Futuna
WS WSM Samoa
XK XKX Kosovo
YE YEM Yemen|Yémen
YT MYT Mayotte
ZA ZAF South Africa|Afrique du Sud
ZM ZMB Zambia|Zambie
ZW ZWE Zimbabwe
"""  # alpha-2, alpha-3, names

_US_STATES = """
AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware
DC District of Columbia|DC Washington DC|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa
KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi
MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York
NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina
SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin
WY Wyoming|AS American Samoa|GU Guam|MP Northern Mariana Islands|PR Puerto Rico|VI U.S. Virgin Islands
"""
_CA_PROVINCES = """
AB Alberta|BC British Columbia|BC Colombie-Britannique|MB Manitoba|NB New Brunswick|NB Nouveau-Brunswick
NL Newfoundland and Labrador|NL Terre-Neuve-et-Labrador|NS Nova Scotia|NS Nouvelle-Écosse|NT Northwest Territories
NT Territoires du Nord-Ouest|NU Nunavut|ON Ontario|PE Prince Edward Island|PE Île-du-Prince-Édouard|QC Quebec
SK Saskatchewan|YT Yukon
"""


def country_by_name(name: str) -> str | None:
    """The upper-case alpha-2 code of a country's code (alpha-2 or alpha-3) or name; None when it is none of these."""
    return _country_index().get(fold(name))


def state_by_name(name: str, country: str | None) -> str | None:
    """The upper-case two-letter code of a US state or Canadian province; of either when ``country`` is unknown."""
    key = fold(name)
    for code in (country,) if country else ("US", "CA"):
        found = _state_index(code).get(key)
        if found:
            return found
    return None


def fold(name: str) -> str:
    """Lower-case letters without accents, spaces or signs, to compare names by; other scripts keep their letters."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().replace("&", "and"))
    return "".join(letter for letter in decomposed if letter.isalpha())


@cache
def _country_index() -> dict[str, str]:
    index: dict[str, str] = {}
    for row in _COUNTRIES.strip().splitlines():
        alpha2, alpha3, names = row.split(" ", 2)
        index |= {fold(name): alpha2 for name in (*names.split("|"), alpha3, alpha2)}
    return index


@cache
def _state_index(country: str) -> dict[str, str]:
    table = {"US": _US_STATES, "CA": _CA_PROVINCES}.get(country, "")
    rows = [row.split(" ", 1) for line in table.strip().splitlines() for row in line.split("|")]
    return {fold(name): code for code, state in rows for name in (state, code)}
