# All that the citizen's pages say, in English. The keys are those of da.ftl; a test looks.

## The frame of every page

brand = Indrul
brand-what = National electronic identity
skip = Skip to the content
language-label = Language
display-label = Display
display-large = Larger text
display-normal = Normal text
display-contrast = High contrast
display-plain = Normal contrast
footer-help = Do you need help? The Borgercenter helps you free of charge.
footer-help-link = Get help at the Borgercenter
footer-privacy = This page loads nothing from others, and does not track you.
step-of = Step { $step } of { $steps }
back = Back
continue = Continue
error-title = This must be put right
error-what-now = What you can do now:
required-js = This step uses the camera or the passport and needs JavaScript. Turn JavaScript on in the browser and load the page again. If you cannot, the Borgercenter can help you.
helper-banner = You are helping someone else. Nothing is kept on this device when you are done.
helper-leave = Finish and clear the device
resume-title = You have begun
resume-text = You can go on where you left. The case closes by itself if it is not finished within an hour.
resume-continue = Go on where I left
resume-again = Begin again
trouble-missing-title = There is no such page
trouble-missing = This address leads nowhere. Go to the beginning.
trouble-form = The form could not be read, and nothing was kept. Go back, load the page again, and try once more.
trouble-origin-title = The page was not sent from here
trouble-origin = The form did not come from our own page, so nothing was kept. Go back, load the page again, and try once more.
trouble-session-title = We cannot find your case
trouble-session = Your case is closed, or this device does not know it. Begin again: it takes about ten minutes.
trouble-title = Something went wrong
trouble-internal = Something went wrong on our side, and nothing was kept. Try again in a moment.
trouble-busy = Many people are here right now. Wait a moment and try again. This try was not counted.
trouble-start = Go to the beginning

## 1 What you need

start-title = Get your electronic identity
start-lead = You need your passport and a phone. It takes about ten minutes, and you can pause on the way.
start-need-title = What you need
start-need-passport = A valid passport with a chip. The chip has a small gold mark on the cover.
start-need-phone = A phone that can read the chip (NFC) and has a camera. Take the cover off the phone: it is the most common reason why a chip cannot be read.
start-need-number = Your CPR number.
start-need-contact = A phone number and an e-mail address that only you use.
start-need-light = A place with good light, so that the camera can see the passport and your face.
start-how-title = How it goes
start-how-consent = You agree to the terms
start-how-page = You show the passport’s page to the camera
start-how-chip = You hold the passport to the phone
start-how-face = You show your face
start-how-app = You choose a user ID and activate the app
start-time-consent = 2 minutes
start-time-page = 1 minute
start-time-chip = 1 minute
start-time-face = 1 minute
start-time-app = 5 minutes
start-who-title = Who can use it?
start-who = You must be 13 or older. You get assurance level Substantial. Level High is given in a Borgercenter only. Temporary and emergency passports cannot be used.
start-begin = Begin
start-other-title = Are you helping someone?
start-other = Your phone can be lent to someone else, and nothing stays on it. They must agree to the terms themselves and type their codes themselves: look away meanwhile.
start-other-begin = Help someone else
start-no-title = No passport or phone?
start-no = Then get your identity in a Borgercenter.

## 2 Consent

consent-title = What you agree to
consent-lead = Read each part and tick it. Without the four ticks we cannot go on here.
consent-version = Edition { $version }
consent-terms = Terms
consent-terms-1 = Your electronic identity is personal. Only you may use it, and you must not give your codes to others.
consent-terms-2 = We issue it if your passport is genuine and valid, your face is that of the passport, and you are in the CPR register. If you are refused you are told why, and you can complain to the Borgercenter.
consent-terms-3 = You must block your identity if others may have got hold of it. A block takes effect at once.
consent-terms-agree = I have read the terms and agree to them
consent-care = Staying safe
consent-care-1 = Choose a PIN that nobody can guess, and do not write it down. Cover your hand when you type it.
consent-care-2 = Approve only what you have begun yourself. We never call and ask for your codes.
consent-care-3 = Keep the phone up to date, and lock its screen.
consent-care-agree = I have read the advice and will follow it
consent-privacy = Your data
consent-privacy-1 = We read the passport’s page and chip, look you up in the CPR register, and ask the passport register whether the passport was reported lost. Each look-up is recorded with its purpose.
consent-privacy-2 = The picture of your face is not kept. What we read from the passport is sealed while the case is open. When it ends the key is erased, and then nobody can read it.
consent-privacy-3 = What stays is the proof that the passport was genuine, and who got the identity. You can ask to see what we hold about you.
consent-privacy-4 = Your personal number stays too, sealed, for as long as you can use the identity. When you log in, services that may have it are told it, and we ask the CPR register whether your name is protected. We erase it on death, and 90 days after the identity was blocked if it has not been opened again.
consent-privacy-agree = I have read how the data are used
consent-face = Recognising your face
consent-face-1 = We compare a picture of your face with the portrait on the passport’s chip. That is biometric data, so we ask for it separately.
consent-face-2 = You can say no. Then it cannot be finished here, but a Borgercenter can do it.
consent-face-agree = Yes, you may recognise my face in this case
consent-face-no = I do not want my face recognised
consent-agree = Agree and continue
consent-missing = Tick all four parts, or choose the Borgercenter at the end of the page.
consent-stale = The terms have changed since you read them. Read them again and tick them.

## The Borgercenter

center-title = Have it done in a Borgercenter
center-lead = A member of staff helps you free of charge, also if you have no passport, no phone, or do not want a machine to recognise your face.
center-bring-title = Bring
center-bring-passport = Your passport or another valid document with a photo
center-bring-health = Your health card
center-bring-witness = If you have no document with a photo: a witness over 18 who has an electronic identity
center-book-title = Book a time
center-book = Book a time at your Borgercenter, online or by telephone. Say that it is about electronic identity.
center-number = Your case number
center-number-what = Give the number to the staff. It tells what happened here, but not who you are.
center-home = If you cannot come, ask for a visit at home when you book.
center-back = Back to the page
center-box-title = The Borgercenter can help you now
center-box = You need not try any more. A member of staff can finish it with you.
center-box-link = See how to get a time

## 3 CPR number

number-title = Your CPR number
number-lead = We use it to find you in the CPR register once the passport is read.
number-label = CPR number
number-hint = Ten digits, for example 010190-0000
number-form = That is not a CPR number. Write ten digits, with or without a hyphen.
number-why-title = Why do we ask?
number-why = The passport does not say which CPR number you have. Name, birthday and sex on the chip must fit what you write. We do not tell what does not fit: that protects you from people who guess.

## 4 The passport's page

page-title = Show the passport’s page to the camera
page-lead = Lay the passport flat on a dark table, open at the page with your photo. Hold the phone level, about 12 centimetres above the two lines at the bottom.
page-camera = The passport’s page in the camera
page-start = Turn the camera on
page-stop = Turn the camera off
page-off = The camera is off.
page-waiting = Waiting for the camera. Say yes when the browser asks.
page-searching = Looking for the two lines at the bottom of the page.
page-whole-page = Show the whole page: the two lines at the bottom must be in view from edge to edge.
page-closer = Move closer.
page-glare = Tilt the passport or the lamp a little: light is mirrored on the lines.
page-light = Give it more light.
page-sharper = Hold still so that the picture gets sharp.
page-done = The page is read. You go on now.
page-camera-denied = The camera may not be used. Allow it in the browser’s settings and try again, or type the lines below.
page-camera-none = We cannot find a camera. Try another device, or type the lines below.
page-typed-title = Type the lines yourself
page-typed-lead = At the bottom of the page are two lines of letters, digits and the sign <. Type them exactly as they stand. Spaces make no difference.
page-line-1 = Upper line
page-line-2 = Lower line
page-line-hint = 44 characters
page-send = Send the lines

## 5 The chip

chip-title = Hold the passport to the phone
chip-lead = The chip is in the cover. Close the passport, lay it on the table, and lay the upper half of the phone on the middle of the front.
chip-picture = Drawing: a closed passport with a gold mark on the front. The upper half of the phone lies over the mark, and waves show that it reads the chip.
chip-tip-cover = Take the cover off the phone, and the passport out of its case.
chip-tip-still = Hold quite still until it says that the chip is read. It takes 5 to 20 seconds.
chip-tip-metal = Do not lay the passport on metal or on a charger.
chip-start = Read the chip
chip-again = Try again
chip-ready = Ready when you are.
chip-asking = Looking for the phone’s reader.
chip-waiting = Waiting for the passport. Lay it to the phone.
chip-access = Opening the chip. Hold the passport still.
chip-reading = Reading the chip. Hold the passport still.
chip-authenticating = Testing whether the chip is genuine.
chip-lost = The link was lost. Put the passport back and hold it still: we go on where we were.
chip-read = The chip is read. You go on now.
chip-progress = How far we are
chip-none-title = This device cannot read the chip
chip-none = The page found neither the app’s reader nor a reader at the desk’s computer. Open the page in the app on a phone with NFC. At a desk, ask the staff whether the reader is on.
chip-broken = The connection to the reader broke off. Try again.
chip-lost-title = Does the link keep getting lost?
chip-lost-1 = Move the phone a few centimetres up or down, and wait five seconds at each place.
chip-lost-2 = Try the back of the passport too, and the page with your photo: the chip is not in the same place in every passport.
chip-lost-3 = Restart the phone if nothing happens.

## 6 The face

face-title = Show your face
face-lead = Hold the phone at eye level so that your face fills the oval. Look straight ahead.
face-camera = Your face in the camera
face-start = Turn the camera on
face-off = The camera is off.
face-waiting = Waiting for the camera. Say yes when the browser asks.
face-searching = Looking for your face.
face-hold = Good. Hold still.
face-taking = The picture is being compared with the portrait in the passport.
face-done = The picture is taken. You go on now.
face-camera-denied = The camera may not be used. Allow it in the browser’s settings and try again, or go to the Borgercenter.
face-camera-none = We cannot find a camera. Try another device, or go to the Borgercenter.
face-tip-light = Stand with the light in front of you, not behind.
face-tip-glasses = Take off glasses, hat and mask, and keep hair away from the face.
face-tip-alone = Be alone in the picture.
face-kept-title = What is kept?
face-kept = The picture is only compared with the portrait in the passport. Neither the picture nor the measurement of your face is kept. The portrait from the passport is sealed until the case ends, and for an hour at most.
face-again = Try again

## 7 The result

result-decide-title = Ready to decide
result-decide = Everything is read. Press, and we look you up in the CPR register and the passport register and decide the case.
result-decide-button = Get the decision
result-good-title = Your identity has been made
result-good = Your passport is genuine, you are who it shows, and you are in the CPR register. All that is left is to choose a user ID and activate the app.
result-name = Name
result-birth = Birthday
result-level = Assurance level
result-level-name = Substantial
result-issued = Made
result-next = Choose a user ID
result-bad-title = We cannot make your identity here
result-refer-title = A Borgercenter must finish it
result-again-title = A step must be done again
result-again-page = Show the passport’s page again
result-again-chip = Read the chip again
result-again-face = Take the picture again
result-again-start = Begin again
result-ended-title = The case is closed
result-ended = The time ran out. Your data have been erased. Begin again: it takes about ten minutes.
result-code = Code for the staff
result-complain = If you disagree you can complain to the Borgercenter. Ask for the reasons in writing, and give the case number.

## 8 User ID, contacts, app

user-title = Choose a user ID
user-lead = It is the name you log in with. Choose something that is not easy to guess.
user-label = User ID
user-hint = 5 to 48 characters: letters, digits and the signs . - _ @ and more. Capitals make no difference. Not your CPR number.
contact-title = Where can we reach you?
contact-lead = We send two codes, one each way. Later you are told here if your identity is used on a new device.
contact-phone = Mobile number
contact-phone-hint = With country code, for example +4512345678
contact-email = E-mail address
contact-email-hint = For example name@example.com
contact-notices = Where do you want notices?
contact-notices-hint = We recommend both.
contact-notices-sms = SMS
contact-notices-email = E-mail
activate-title = Activate the app
activate-lead = This device gets a key that never leaves it. We send one code by SMS and one by e-mail.
activate-send = Send the codes
activate-sent = The codes have been sent. The code by SMS works for 30 minutes, the code by e-mail for 24 hours.
activate-sms = The code by SMS
activate-email = The code by e-mail
activate-code-hint = Digits only
activate-pin = Choose a PIN
activate-pin-hint = Six digits. Not your birthday, not 123456, and not the same digit throughout.
activate-pin-again = Type the PIN again
activate-pin-differs = The two PINs differ. Type the same in both places.
activate-button = Activate
activate-resend = Send new codes
activate-working = One moment.
activate-no-crypto = The browser cannot make a key. Use a newer browser, or go to the Borgercenter.
activate-no-key = The key is not on this device. Send new codes and a new one is made.
activate-helper-title = The app must be on your own phone
activate-helper = The identity has been made, but it is not put on the helper’s device. Do the same on your own phone with your passport when you can, or bring the passport to the Borgercenter: they activate an app or hand out a code display.

## Done

done-title = You are done
done-lead = Your identity is active, and this device can be used to log in.
done-receipt = Receipt
done-case = Case number
done-app = App
done-app-active = Active
done-print = Print or save this page if you want a receipt on paper.
done-block-title = If you lose the phone
done-block = Block your identity at once. The code in the notice that you received blocks the app.
done-leave = Finish

## Log-in

log-in-title = Log in
log-in-at = Log in at { $party }
log-in-lead = Type your user ID, then approve in your app. We show the same whether there is such a user ID or not.
log-in-user-id = User ID
log-in-user-hint = The one that you chose when you got your identity. Never your personal number.
log-in-without = Show a QR code without user ID
log-in-cancel = Cancel
log-in-step-open = Open your app and choose to scan.
log-in-step-scan = Keep the camera on the code until the app has read both halves. They take turns by themselves.
log-in-step-approve = Check that the app shows { $party }, and approve with your PIN.
log-in-code-alt = QR code that your app reads. It alternates between two halves.
log-in-warning = Only scan the code if you began here yourself. If somebody sent it to you or asked you to, it is fraud.
log-in-switch = Open the app on this device
log-in-claimed = Your app has read the code. Approve there.
log-in-back = The approval goes on from the app. Go back to it, and follow it to the browser on the same device.
log-in-ended-title = You are not logged in
log-in-refused = You refused it in the app. Begin again at the service if that was a mistake. If you had not begun it, you did the right thing.
log-in-cancelled = You have cancelled. Nothing has happened.
log-in-return = Back to { $party }
log-in-out-title = You are logged out
log-in-out = The session at the service is over. Close the browser if others use it.
log-in-not-out-title = We have not logged you out
log-in-not-out = The service did not say which session to end, so nothing has ended here. Go back to the service and log out there. Close the browser if others use it.
