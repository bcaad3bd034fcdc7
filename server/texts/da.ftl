# Alt, hvad borgerens sider siger, på dansk. Nøglerne er de samme i en.ftl; en test ser efter.

## Rammen om hver side

brand = Indrul
brand-what = National elektronisk identitet
skip = Gå til indholdet
language-label = Sprog
display-label = Visning
display-large = Større tekst
display-normal = Normal tekst
display-contrast = Høj kontrast
display-plain = Normal kontrast
footer-help = Har du brug for hjælp? Borgercenteret hjælper dig gratis.
footer-help-link = Få hjælp i Borgercenteret
footer-privacy = Siden henter intet fra andre, og den følger dig ikke.
step-of = Trin { $step } af { $steps }
back = Tilbage
continue = Fortsæt
error-title = Det skal rettes
error-what-now = Det kan du gøre nu:
required-js = Dette trin bruger kamera eller pas og kræver JavaScript. Slå JavaScript til i browseren, og hent siden igen. Kan du ikke det, kan Borgercenteret hjælpe dig.
helper-banner = Du hjælper en anden. Intet gemmes på denne enhed, når I er færdige.
helper-leave = Afslut og ryd enheden
resume-title = Du er i gang
resume-text = Du kan fortsætte, hvor du slap. Sagen lukker af sig selv, hvis den ikke bliver gjort færdig inden for en time.
resume-continue = Fortsæt, hvor jeg slap
resume-again = Begynd forfra
trouble-missing-title = Siden findes ikke
trouble-missing = Adressen fører ingen steder hen. Gå til begyndelsen.
trouble-form = Formularen kunne ikke læses, og intet er gemt. Gå tilbage, hent siden igen, og prøv en gang til.
trouble-origin-title = Siden blev ikke sendt herfra
trouble-origin = Formularen kom ikke fra vores egen side, og derfor er intet gemt. Gå tilbage, hent siden igen, og prøv en gang til.
trouble-session-title = Vi kan ikke finde din sag
trouble-session = Din sag er lukket, eller denne enhed kender den ikke. Begynd forfra: det tager omkring ti minutter.
trouble-title = Noget gik galt
trouble-internal = Noget gik galt hos os, og intet er gemt. Prøv igen om lidt.
trouble-busy = Der er mange lige nu. Vent et øjeblik, og prøv igen. Forsøget er ikke talt med.
trouble-start = Gå til begyndelsen

## 1 Det skal du bruge

start-title = Få din elektroniske identitet
start-lead = Du skal bruge dit pas og en telefon. Det tager omkring ti minutter, og du kan holde pause undervejs.
start-need-title = Det skal du bruge
start-need-passport = Et gyldigt pas med chip. Chippen har et lille guldmærke på omslaget.
start-need-phone = En telefon, der kan læse chippen (NFC), og som har et kamera. Tag coveret af telefonen: det er den hyppigste grund til, at chippen ikke kan læses.
start-need-number = Dit CPR-nummer.
start-need-contact = Et telefonnummer og en e-mailadresse, som kun du bruger.
start-need-light = Et sted med godt lys, så kameraet kan se passet og dit ansigt.
start-how-title = Sådan foregår det
start-how-consent = Du siger ja til vilkårene
start-how-page = Du viser passets side til kameraet
start-how-chip = Du holder passet til telefonen
start-how-face = Du viser dit ansigt
start-how-app = Du vælger bruger-id og aktiverer appen
start-time-consent = 2 minutter
start-time-page = 1 minut
start-time-chip = 1 minut
start-time-face = 1 minut
start-time-app = 5 minutter
start-who-title = Hvem kan bruge det?
start-who = Du skal være fyldt 13 år. Du får sikringsniveau Betydelig. Niveau Høj kan kun gives i et Borgercenter. Midlertidige pas og nødpas kan ikke bruges.
start-begin = Begynd
start-other-title = Hjælper du en anden?
start-other = Din telefon kan låne øjne og ører til en anden, uden at noget bliver liggende på den. Den anden skal selv sige ja til vilkårene og selv taste sine koder: kig væk imens.
start-other-begin = Hjælp en anden
start-code-title = Har du en kode?
start-code = Har en anden hjulpet dig, eller fik du en kode i Borgercenteret, så gør det færdigt her på din egen enhed.
start-code-link = Brug koden
start-no-title = Har du ikke pas eller telefon?
start-no = Så få din identitet i et Borgercenter.

## 2 Samtykke

consent-title = Det siger du ja til
consent-lead = Læs hver del, og sæt kryds. Uden de fire kryds kan vi ikke gå videre her på siden.
consent-version = Udgave { $version }
consent-terms = Vilkår
consent-terms-1 = Din elektroniske identitet er personlig. Du må kun bruge den selv, og du må ikke give andre dine koder.
consent-terms-2 = Vi udsteder den, når dit pas er ægte og gyldigt, dit ansigt er det samme som i passet, og du findes i CPR. Bliver du afvist, får du at vide hvorfor, og du kan klage til Borgercenteret.
consent-terms-3 = Du skal spærre din identitet, hvis andre kan have fået fat i den. En spærring virker med det samme.
consent-terms-agree = Jeg har læst vilkårene og siger ja til dem
consent-care = Gode råd om sikkerhed
consent-care-1 = Vælg en pinkode, som ingen kan gætte, og skriv den ikke ned. Hold hånden for, når du taster.
consent-care-2 = Godkend kun det, du selv har sat i gang. Vi ringer aldrig og beder om dine koder.
consent-care-3 = Hold telefonen opdateret, og lås skærmen.
consent-care-agree = Jeg har læst rådene og vil følge dem
consent-privacy = Dine oplysninger
consent-privacy-1 = Vi læser passets side og chip, slår dig op i CPR og spørger passets register, om passet er meldt bortkommet. Hvert opslag bliver skrevet ned med formål.
consent-privacy-2 = Billedet af dit ansigt bliver ikke gemt. Det, vi læser fra passet, ligger forseglet, mens sagen er åben. Når den slutter, bliver nøglen slettet, og så kan ingen læse det.
consent-privacy-3 = Tilbage bliver beviset for, at passet var ægte, og hvem der fik identiteten. Du kan få indsigt i det, vi har om dig.
consent-privacy-agree = Jeg har læst, hvordan oplysningerne bliver brugt
consent-face = Genkendelse af dit ansigt
consent-face-1 = Vi sammenligner et billede af dit ansigt med portrættet på passets chip. Det er en biometrisk oplysning, og derfor spørger vi særskilt.
consent-face-2 = Du kan sige nej. Så kan vi ikke gøre det færdigt her, men et Borgercenter kan.
consent-face-agree = Ja, I må genkende mit ansigt i denne sag
consent-face-no = Jeg vil ikke have mit ansigt genkendt
consent-agree = Sig ja, og fortsæt
consent-missing = Sæt kryds ved alle fire dele, eller vælg Borgercenteret nederst på siden.
consent-stale = Vilkårene er ændret, siden du læste dem. Læs dem igen, og sæt kryds.

## Borgercenteret

center-title = Få det gjort i et Borgercenter
center-lead = En medarbejder hjælper dig gratis, også hvis du ikke har pas, ikke har en telefon eller ikke vil have dit ansigt genkendt af en maskine.
center-bring-title = Tag med
center-bring-passport = Dit pas eller et andet gyldigt billedbevis
center-bring-health = Dit sundhedskort
center-bring-witness = Har du intet billedbevis: et vidne over 18 år, som selv har en elektronisk identitet
center-book-title = Bestil tid
center-book = Bestil tid i dit Borgercenter, på nettet eller i telefonen. Sig, at det drejer sig om elektronisk identitet.
center-number = Dit sagsnummer
center-number-what = Giv medarbejderen nummeret. Det fortæller, hvad der skete her, men ikke hvem du er.
center-home = Kan du ikke komme, så spørg om et hjemmebesøg, når du bestiller.
center-back = Tilbage til siden
center-box-title = Borgercenteret kan hjælpe dig nu
center-box = Du behøver ikke prøve mere. En medarbejder kan gøre det færdigt sammen med dig.
center-box-link = Se, hvordan du får en tid

## 3 CPR-nummer

number-title = Dit CPR-nummer
number-lead = Vi bruger det til at finde dig i CPR, når passet er læst.
number-label = CPR-nummer
number-hint = Ti cifre, for eksempel 010190-0000
number-form = Det er ikke et CPR-nummer. Skriv ti cifre, med eller uden bindestreg.
number-why-title = Hvorfor spørger vi?
number-why = Passet siger ikke, hvilket CPR-nummer du har. Navn, fødselsdag og køn på chippen skal passe til det, du skriver. Vi fortæller ikke, hvad der ikke passer: det beskytter dig mod folk, der gætter.

## 4 Passets side

page-title = Vis passets side til kameraet
page-lead = Læg passet fladt på et mørkt bord, slået op på siden med dit billede. Hold telefonen vandret, omkring 12 centimeter over de to nederste linjer.
page-camera = Passets side i kameraet
page-start = Tænd kameraet
page-stop = Sluk kameraet
page-off = Kameraet er slukket.
page-waiting = Venter på kameraet. Sig ja, når browseren spørger.
page-searching = Leder efter de to linjer nederst på siden.
page-whole-page = Vis hele siden: de to nederste linjer skal være med fra kant til kant.
page-closer = Gå tættere på.
page-glare = Vip passet eller lampen lidt: lyset spejler sig i linjerne.
page-light = Giv mere lys.
page-sharper = Hold stille, så billedet bliver skarpt.
page-done = Siden er læst. Du går videre nu.
page-camera-denied = Kameraet må ikke bruges. Giv lov i browserens indstillinger, og prøv igen, eller skriv linjerne nedenfor.
page-camera-none = Vi kan ikke finde et kamera. Prøv en anden enhed, eller skriv linjerne nedenfor.
page-typed-title = Skriv linjerne selv
page-typed-lead = Nederst på siden står to linjer med bogstaver, tal og tegnet <. Skriv dem, præcis som de står. Mellemrum gør ingen forskel.
page-line-1 = Øverste linje
page-line-2 = Nederste linje
page-line-hint = 44 tegn
page-send = Send linjerne

## 5 Chippen

chip-title = Hold passet til telefonen
chip-lead = Chippen sidder i omslaget. Luk passet, læg det på bordet, og læg telefonens øverste halvdel midt på forsiden.
chip-picture = Tegning: et lukket pas med et guldmærke på forsiden. Telefonens øverste halvdel ligger hen over mærket, og bølger viser, at den læser chippen.
chip-tip-cover = Tag coveret af telefonen, og tag passet ud af etuiet.
chip-tip-still = Hold helt stille, til der står, at chippen er læst. Det tager 5 til 20 sekunder.
chip-tip-metal = Læg ikke passet på metal eller på en oplader.
chip-start = Læs chippen
chip-again = Prøv igen
chip-ready = Klar, når du er det.
chip-asking = Finder telefonens læser.
chip-waiting = Venter på passet. Læg det til telefonen.
chip-access = Åbner chippen. Hold passet stille.
chip-reading = Læser chippen. Hold passet stille.
chip-authenticating = Prøver, om chippen er ægte.
chip-lost = Forbindelsen gik tabt. Læg passet på igen, og hold det stille: vi fortsætter, hvor vi slap.
chip-read = Chippen er læst. Du går videre nu.
chip-progress = Så langt er vi
chip-none-title = Denne enhed kan ikke læse chippen
chip-none = Siden fandt hverken appens læser eller en læser ved skrankens computer. Åbn siden i appen på en telefon med NFC. Sidder du ved en skranke, så spørg medarbejderen, om læseren er tændt.
chip-broken = Forbindelsen til læseren blev afbrudt. Prøv igen.
chip-lost-title = Bliver forbindelsen ved med at gå tabt?
chip-lost-1 = Flyt telefonen et par centimeter op eller ned, og vent fem sekunder hvert sted.
chip-lost-2 = Prøv også på bagsiden af passet og på siden med dit billede: chippen sidder ikke samme sted i alle pas.
chip-lost-3 = Genstart telefonen, hvis intet sker.

## 6 Ansigtet

face-title = Vis dit ansigt
face-lead = Hold telefonen i øjenhøjde, så dit ansigt fylder ovalen. Se lige frem.
face-camera = Dit ansigt i kameraet
face-start = Tænd kameraet
face-off = Kameraet er slukket.
face-waiting = Venter på kameraet. Sig ja, når browseren spørger.
face-searching = Leder efter dit ansigt.
face-hold = Godt. Hold stille.
face-taking = Billedet bliver sammenlignet med portrættet i passet.
face-done = Billedet er taget. Du går videre nu.
face-camera-denied = Kameraet må ikke bruges. Giv lov i browserens indstillinger, og prøv igen, eller gå til Borgercenteret.
face-camera-none = Vi kan ikke finde et kamera. Prøv en anden enhed, eller gå til Borgercenteret.
face-tip-light = Stil dig med lyset forfra, ikke bagfra.
face-tip-glasses = Tag briller, hue og mundbind af, og stryg håret fra ansigtet.
face-tip-alone = Vær alene i billedet.
face-kept-title = Hvad bliver gemt?
face-kept = Billedet bliver kun sammenlignet med portrættet i passet. Hverken billedet eller målingen af dit ansigt bliver gemt. Portrættet fra passet ligger forseglet, til sagen slutter, og højst en time.
face-again = Prøv igen

## 6b Øvelsen med ansigtet, hvor reglerne kræver den

challenge-title = Vis, at det er dig nu
challenge-how-look = Se først lige frem, til ovalen bliver grøn.
challenge-how-turn = Drej så hovedet lidt den vej, pilen viser, og se lige frem igen, når der står det. Det sker nogle gange.
challenge-how-colour = Skærmen skifter farve imens. Skru helt op for lysstyrken, og sid ikke i sollys. Det hele tager omkring 12 sekunder.
challenge-flash-title = Er du følsom over for skiftende lys?
challenge-flash = Hele skærmen skifter mellem kraftige farver, højst to gange i sekundet. Tryk på Stop eller Escape, hvis det bliver ubehageligt.
challenge-calm = Din enhed er sat til mindre bevægelse. Farverne kan ikke undværes i øvelsen, men intet andet bevæger sig.
challenge-without = Gør det i Borgercenteret i stedet, uden skiftende lys
challenge-ready = Godt. Gør dig klar, og se lige frem.
challenge-straight = Se lige frem
challenge-left = Drej hovedet mod venstre
challenge-right = Drej hovedet mod højre
challenge-up = Se opad
challenge-down = Se nedad
challenge-progress = Så langt er vi
challenge-stop = Stop
challenge-stopped = Du stoppede. Intet blev sendt, men forsøget er brugt. Du har { $tries } i alt.
challenge-taking = Billederne bliver sammenlignet med portrættet i passet. Det kan tage et halvt minut.
challenge-done = Det lykkedes. Du går videre nu.
challenge-missed-title = Sådan lykkes det bedre
challenge-missed-turn = Begynd at dreje, så snart pilen kommer, en fjerdedel af vejen mod skulderen, og bliv der, til der står: Se lige frem.
challenge-missed-light = Skru op for skærmens lys, gå væk fra sol og stærke lamper, og hold telefonen tæt nok til, at skærmen lyser på dit ansigt. Lad noget af rummet være med på begge sider.
challenge-missed-tries = Hver øvelse er ny. Du har { $tries } forsøg i alt, og et Borgercenter kan altid gøre det færdigt.
challenge-kept = Billederne fra øvelsen bliver kun brugt til at se, om du fulgte den, og til at sammenligne dig med portrættet i passet. De bliver aldrig gemt: de forsvinder, så snart de er set igennem, inden for et minut. Hverken billeder eller målinger af dit ansigt bliver gemt, kun om det lykkedes. Portrættet fra passet ligger forseglet, til sagen slutter, og højst en time.

## 7 Resultatet

result-decide-title = Klar til afgørelse
result-decide = Alt er læst. Tryk, så slår vi dig op i CPR og passets register og afgør sagen.
result-decide-button = Få afgørelsen
result-good-title = Din identitet er oprettet
result-good = Dit pas er ægte, du er den, passet viser, og du findes i CPR. Nu mangler du kun at vælge et bruger-id og aktivere appen.
result-name = Navn
result-birth = Fødselsdag
result-level = Sikringsniveau
result-level-name = Betydelig
result-issued = Oprettet
result-next = Vælg bruger-id
result-bad-title = Vi kan ikke oprette din identitet her
result-refer-title = Et Borgercenter skal gøre det færdigt
result-again-title = Et trin skal gøres om
result-again-page = Vis passets side igen
result-again-chip = Læs chippen igen
result-again-face = Tag billedet igen
result-again-start = Begynd forfra
result-ended-title = Sagen er lukket
result-ended = Tiden løb ud. Dine oplysninger er slettet. Begynd forfra: det tager omkring ti minutter.
result-code = Kode til medarbejderen
result-complain = Er du uenig, kan du klage til Borgercenteret. Bed om en skriftlig begrundelse, og oplys sagsnummeret.

## 8 Bruger-id, kontakt, app

user-title = Vælg et bruger-id
user-lead = Det er navnet, du logger på med. Vælg noget, som ikke er let at gætte.
user-label = Bruger-id
user-hint = 5 til 48 tegn: bogstaver, tal og tegnene . - _ @ med flere. Store og små bogstaver er ens. Ikke dit CPR-nummer.
contact-title = Hvor kan vi nå dig?
contact-lead = Vi sender to koder, én hver vej. Senere får du besked her, hvis nogen bruger din identitet på en ny enhed.
contact-phone = Mobilnummer
contact-phone-hint = Med landekode, for eksempel +4512345678
contact-email = E-mailadresse
contact-email-hint = For eksempel navn@eksempel.dk
contact-notices = Hvor vil du have besked?
contact-notices-hint = Vi anbefaler begge.
contact-notices-sms = SMS
contact-notices-email = E-mail
activate-title = Aktivér appen
activate-lead = Denne enhed får en nøgle, som aldrig forlader den. Vi sender en kode på SMS og en på e-mail.
activate-send = Send koderne
activate-sent = Koderne er sendt. Koden på SMS virker i 30 minutter, koden på e-mail i 24 timer.
activate-sms = Koden fra SMS
activate-email = Koden fra e-mail
activate-code-hint = Kun tal
activate-pin = Vælg en pinkode
activate-pin-hint = Seks tal. Ikke din fødselsdag, ikke 123456 og ikke samme tal hele vejen.
activate-pin-again = Skriv pinkoden igen
activate-pin-differs = De to pinkoder er ikke ens. Skriv den samme begge steder.
activate-button = Aktivér
activate-resend = Send nye koder
activate-working = Et øjeblik.
activate-no-crypto = Browseren kan ikke lave en nøgle. Brug en nyere browser, eller gå til Borgercenteret.
activate-no-key = Nøglen findes ikke på denne enhed. Send nye koder, så laver vi en ny.

## 8b Fra hjælperens enhed til ens egen

hand-title = Identiteten skal over på din egen enhed
hand-lead = Identiteten er oprettet. Bruger-id, telefonnummer, koder og pinkode vælger du på din egen telefon eller computer, så intet bliver liggende her.
hand-how-show = Tag din egen telefon frem, og tryk på Vis koden.
hand-how-own = Ret kameraet i din telefon mod den firkantede kode, eller skriv koden på siden.
hand-how-leave = Hjælperen trykker på Afslut og ryd enheden.
hand-private = Koden giver adgang til identiteten. Kun den, som den er til, må se den: hjælperen kigger væk.
hand-draw = Vis koden
hand-shown = Ret kameraet i din egen telefon mod den firkantede kode, og følg siden, der kommer frem. Gå først herfra, når du har gjort det eller skrevet koden ned.
hand-qr = Firkantet kode (QR), som din egen telefon læser med kameraet
hand-scan = Læs med kameraet i din egen telefon
hand-type = Eller åbn denne side på din egen enhed:
hand-code = og skriv koden:
hand-until = Koden kan bruges én gang, til og med { $day }.
hand-after = Denne enhed kan ikke længere gøre noget med identiteten. Gik koden tabt, så hent siden igen, inden du rydder enheden: så kommer en ny.
hand-gone = Identiteten er hentet på en anden enhed, og denne enhed kan ikke længere gøre noget med den. Ryd enheden nu. Var det ikke dig, så kontakt Borgercenteret med det samme.
pick-title = Brug din kode
pick-lead = Koden fra hjælperens enhed eller fra Borgercenteret henter din identitet hertil. Gør det kun på din egen enhed.
pick-label = Kode
pick-hint = 16 tegn, for eksempel ABCD-EFGH-JKLM-NPQR. Store og små bogstaver er ens.
pick-button = Hent min identitet

## Færdig

done-title = Du er færdig
done-lead = Din identitet er aktiv, og denne enhed kan bruges til at logge på.
done-receipt = Kvittering
done-case = Sagsnummer
done-app = App
done-app-active = Aktiv
done-print = Udskriv eller gem siden, hvis du vil have en kvittering på papir.
done-block-title = Mister du telefonen?
done-block = Spær din identitet med det samme. Koden i den besked, du har fået, spærrer appen.
done-leave = Afslut
