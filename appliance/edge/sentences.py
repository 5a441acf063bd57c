"""The sentences of the catalogue: the English one, as a pattern, and the Japanese one for it.

The first that fits is taken. ``place``, ``items``, ``form`` and ``choices`` are told in Japanese.
"""

_AGAIN = (
    "照合ID、照合情報、操作者ID又は端末が正しくないか、暗証番号がロックされています。"
    "もう一度操作し、それでも認証できないときはシステム管理者に連絡してください。"
)
_LOG_IN = "ログインしてください。操作がない時間が続くと自動的にログアウトします。"
TEXTS = {
    # 整合性確認
    r"municipality_code: not in the calendar of reconcile/plan": (
        "この市町村は整合性確認の予定にありません。先に実施間隔を登録してください。"
    ),
    r"municipality_codes: one is no municipality today": (
        "市町村コードに、現在の市町村でないものがあります。コードを確認してください。"
    ),
    # the books of audit support
    r"there is no such book; compliance/books names them": (
        "この名称の簿冊はありません。一覧(compliance/books)で確認してください。"
    ),
    r"the book has no such step; compliance/books names them": (
        "この簿冊にその手続はありません。一覧(compliance/books)で確認してください。"
    ),
    r"no role of yours may take this step": (
        "あなたの役割では、この手続はできません。担当の者に依頼してください。"
    ),
    r"this step is for the office whose entry it is": (
        "この手続は、登録された所属の者だけができます。その所属に依頼してください。"
    ),
    r"this step is for the person whom the entry names": (
        "この手続は、登録に指定された者だけができます。その者に依頼してください。"
    ),
    r"the ledger has too many entries of this period; give a shorter one": (
        "この期間の操作履歴は多すぎます。期間を短くしてください。"
    ),
    # 使用簿
    r"this is the book of another office": (
        "他の所属の使用簿です。自分の所属の使用簿だけを扱えます。"
    ),
    r"a book is kept by people": _LOG_IN,
    r"nothing was written; see the problems \((?P<what>[0-9]+)\)": (
        "誤りが{what}件あるため、何も記入していません。個々の理由を確認してください。"
    ),
    r"this line is struck out": "この行は抹消済みです。必要であれば新しい行を記入してください。",
    r"the line stays in its month": "行を別の月に移すことはできません。理由を確認してください。",
    r"the book has no line of this number in this month": (
        "この月の使用簿に、この番号の行はありません。月と番号を確認してください。"
    ),
    r"the month has not begun": "まだ来ていない月です。月を確認してください。",
    r"the month is signed off(?: already)?": (
        "この月は確認済みです。直す必要があるときは、監査責任者に再開を依頼してください。"
    ),
    r"the book was written in meanwhile; match again": (
        "突合の間に使用簿が記入されました。もう一度突合してください。"
    ),
    r"the last matching of this month found no such thing": (
        "この月の最後の突合に、この不一致はありません。一覧を取り直してください。"
    ),
    r"nobody marks what came of a use or a line of his own": (
        "自分の利用又は自分が記入した行の不一致には、理由を記録できません。"
        "別のセキュリティ責任者が記録してください。"
    ),
    r"the month cannot be signed off yet": (
        "この月はまだ確認できません。個々の理由を確認してください。"
    ),
    r"the auditor opens a month again": "月を再開できるのは監査責任者だけです。",
    r"the month is open": "この月は確認前です。再開の必要はありません。",
    # bulk provision
    r"a second person must do this": "同じ人はこの操作をできません。別の担当者が操作してください。",
    r"approved for another medium": "承認された媒体と違います。承認された媒体を使ってください。",
    r"nothing of the file was taken; see the problems": (
        "ファイルに誤りがあるため、全件を受け付けませんでした。個々の理由を確認してください。"
    ),
    r"this purpose has no such (?:job|recipient)": "この事務にその番号のものはありません。",
    r"the job is not \S+": "まだその段階ではないか、既に済んでいます。",
    r"the job has ended": "この一括照会は終了しています。",
    r"the recipient was retired": "この提供先の鍵は廃止されています。",
    r"the file was not sealed for this key, or was changed since": (
        "このシステムの公開鍵で暗号化されたファイルではありません。作り直してください。"
    ),
    r"public_key must be an X25519 public key, 32 bytes in base64": (
        "公開鍵の形式が違います。juki media keygen で作った公開鍵を指定してください。"
    ),
    # watching
    r"this resident is a canary already": "この住民は、既に架空の住民として登録されています。",
    r"this canary is retired already": "この架空の住民は、既に解除されています。",
    r"until: must be after since": (
        "期間の終わりは、始まりより後にしてください。期間を確認してください。"
    ),
    r"until: must not be before since": (
        "期間の終わりは、始まりと同じか後の日にしてください。期間を確認してください。"
    ),
    r"until: at most (?P<most>[0-9]+) days are told at once": (
        "一度に表示できるのは{most}日間です。期間を短くしてください。"
    ),
    r"these uses are another office's: .*": (
        "他の所属の利用状況は閲覧できません。監査責任者に依頼してください。"
    ),
    r"nobody sees or decides a flag about himself: .*": (
        "自分に関する監視結果は閲覧も判定もできません。別の担当者が判定してください。"
    ),
    r"name a person \(照合ID\) of your own office": (
        "自所属の者の照合IDを指定してください。他の所属の者については、その所属の"
        "セキュリティ責任者に依頼してください。"
    ),
    r"nobody enters this for himself: .*": (
        "自分自身については登録できません。別のセキュリティ責任者に依頼してください。"
    ),
    r"this flag is not about your office alone: .*": (
        "この監視結果は自所属だけのものではありません。監査責任者に判定を依頼してください。"
    ),
    # who asks
    r"log in first.*": _LOG_IN,
    r"the person, the proof, the authority or the terminal is not right, .*": _AGAIN,
    r"this person is logged in at another terminal": (
        "この照合IDは別の端末でログイン中です。そちらでログアウトしてください。"
    ),
    r"say under which authority \(operator\): you hold none, or several": (
        "操作者IDを入力してください。お持ちの権限がないか、複数あります。"
    ),
    r"the last 研修 must not be more than (?P<what>[0-9]+) months ago \(R183\)": (
        "直近の研修から{what}か月を超えているため、ログインできません。研修を受けてください。"
    ),
    r"prove again who you are \(session/verify\), then ask once more": (
        "この操作の前に、もう一度認証してください。"
    ),
    r"give a device's answer \(device\) or a PIN \(pin\), one of the two": (
        "照合情報又は暗証番号のどちらか一つで認証してください。"
    ),
    r"this code is for .*": (
        "この登録コードは別の認証方法のものです。システム管理者に確認してください。"
    ),
    r"this device was not registered: it proves nobody": (
        "この装置は登録できませんでした。利用者の照合を行う、許可された装置を使ってください。"
    ),
    r"this device is registered already": "この装置は既に登録されています。",
    r"person is needed: who wants to log in": "照合IDを入力してください。",
    r"this appliance has no address at which a device can prove anybody .*": (
        "照合情報による認証は設定されていません。システム管理者に連絡してください。"
    ),
    r"this enrolment code is not known, is used or is over": (
        "この登録コードは無効か、使用済みか、期限切れです。システム管理者に再発行を依頼してください。"
    ),
    r"the PIN needs (?P<what>[0-9]+) digits or more": (
        "暗証番号は{what}桁以上の数字にしてください。"
    ),
    r"the PIN is too easy: .*": (
        "この暗証番号は推測されやすいため使えません。繰り返しや連番を避けてください。"
    ),
    r"others are logging in at this moment; .*": (
        "他の人がログイン処理中です。数秒後にもう一度操作してください。"
    ),
    r"the certificate of this terminal is not in force": (
        "この端末の証明書は有効期間外です。システム管理者に連絡してください。"
    ),
    r"the certificate of this terminal is not registered": (
        "この端末は登録されていません。システム管理者に連絡してください。"
    ),
    r"the appliance is sealed or stopping": (
        "システムは停止中か、開錠されていません。システム管理者に連絡してください。"
    ),
    # rights
    r"no role of yours reaches (?P<what>[a-z/-]+) at this terminal": (
        "この端末では、あなたの役割でこの機能を使えません。必要なときはシステム管理者に相談してください。"
    ),
    r"name the purpose \(X-Purpose\) and its reason \(X-Reason\)": (
        "利用する事務と利用事由を選んでください。"
    ),
    r"a role of yours sees no residents, and (?P<what>[a-z/-]+) may": (
        "委託先の役割では、本人確認情報を表示できる機能({what})は利用できません。"
    ),
    r"a role that sees no residents is held alone; ask the administrator": (
        "委託先の役割は、他の役割と兼ねられません。システム管理者に相談してください。"
    ),
    r"staff must attend: one of the office logs in at this terminal too": (
        "職員の立会いが必要です。立ち会う職員がこの端末でログインしてから操作してください。"
    ),
    r"this is done without seeing residents": (
        "この機能では本人確認情報を取り扱えません。システム管理者に連絡してください。"
    ),
    r"whoever asked for this sees no residents any more": (
        "依頼した操作者は、本人確認情報を取り扱わない役割になりました。別の操作者が依頼し直してください。"
    ),
    r"this purpose is not among yours": (
        "この事務はあなたに認められていません。事務の選択を確認してください。"
    ),
    r"this purpose is not in force today": "この事務は本日有効ではありません。",
    r"this purpose does not allow (?P<what>[a-z/-]+)": (
        "この事務では、この機能({what})を使えません。"
    ),
    r"this reason does not belong to the purpose": (
        "この利用事由は、選んだ事務のものではありません。選び直してください。"
    ),
    r"not within your rights: (?P<items>[a-z_, ]+)": (
        "次の項目は、この事務又は役割では利用できません: {items}"
    ),
    r"withheld here: (?P<items>[a-z_, ]+)": (
        "次の項目は、この端末又は操作では開示も照合もできません: {items}"
    ),
    r"whoever asked for this may not work any more": (
        "申請した人は停止中又は任期満了です。取り消して申請し直してください。"
    ),
    r"this purpose is no more among those of whoever asked for this": (
        "申請した人にこの事務は認められなくなりました。取り消して申請し直してください。"
    ),
    r"whoever asked for this does not hold that authority any more": (
        "申請した人は、その操作者IDをもう保有していません。申請し直してください。"
    ),
    r"no role of whoever asked for this reaches it any more": (
        "申請した人の役割ではこの機能を使えなくなりました。取り消して申請し直してください。"
    ),
    r"your rights do not allow to ask by (?P<items>[a-z_]+)": (
        "この事務又は役割では、{items}による照会はできません。"
    ),
    r"your rights do not allow to ask about anybody": (
        "この事務又は役割では、本人確認情報の照会はできません。"
    ),
    r"struck-off residents are not within your rights": (
        "消除された者の検索は、この役割では認められていません。"
    ),
    r"the history is not within your rights": "履歴の閲覧は、この役割では認められていません。",
    r"a plugin could not decide": (
        "利用可否を判定できなかったため、実行しませんでした。システム管理者に連絡してください。"
    ),
    r"nobody appoints or suspends himself": "自分自身の登録や変更はできません。",
    # two persons
    r"this takes a second person: .*": (
        "この操作には別の職員の承認が必要です。承認を求め、承認された番号を付けて実行してください。"
    ),
    r"this takes two persons: .*": "この操作には二人の職員が必要です。端末でログインしてください。",
    r"X-Approval goes only with a request that takes a second person": (
        "この操作に承認番号は要りません。承認番号を付けずに実行してください。"
    ),
    r"X-Approval is not of the form it must have": (
        "承認番号の形式が違います。番号を確認してください。"
    ),
    r"somebody in it is protected now": (
        "作成後に要注意とされた方が含まれています。取り消して、申請し直してください。"
    ),
    r"there is no approval of this number": "この番号の承認はありません。番号を確認してください。",
    r"this approval is for something else: .*": (
        "承認された内容と違います。承認された機能、内容、事務及び利用事由のまま実行してください。"
    ),
    r"this approval is open, not given; .*": "まだ承認されていません。承認者に依頼してください。",
    r"this approval is used, not given; .*": (
        "この承認は使用済みです。承認は1回限りです。もう一度承認を求めてください。"
    ),
    r"this approval is (?:refused|withdrawn|over), not given; .*": (
        "この承認は却下、取下げ又は期限切れです。必要なら、もう一度承認を求めてください。"
    ),
    r"whoever agreed cannot carry it out as well; .*": (
        "承認した本人は実行できません。別の職員が実行してください。"
    ),
    r"whoever agreed is the one whom it is about; .*": (
        "承認した人自身に関する操作です。別の承認者に承認を求め直してください。"
    ),
    r"whoever agreed may not work any more; .*": (
        "承認した人は停止中又は任期満了です。別の承認者に承認を求め直してください。"
    ),
    r"operation: one person is enough for this; .*": (
        "この操作に承認は要りません。承認を求めずに実行してください。"
    ),
    r"only whoever asked for it takes it back": (
        "取り下げることができるのは、承認を求めた本人だけです。"
    ),
    r"nobody agrees to what he asked for himself": (
        "自分で承認を求めたものは、承認も却下もできません。別の承認者に依頼してください。"
    ),
    r"nobody agrees to what is about himself": "自分自身に関するものは、承認も却下もできません。",
    r"no role of yours may agree to (?P<what>[a-z/-]+) at this terminal": (
        "この端末では、あなたの役割でこの機能({what})を承認できません。"
    ),
    r"this is a matter of another office; .*": (
        "他の所属のものです。その所属のセキュリティ責任者に承認を求めてください。"
    ),
    r"this approval is [a-z]+: nothing is to be decided any more": (
        "この承認は、既に決定されたか、期限が過ぎています。一覧を確認してください。"
    ),
    r"there is no such operation": "その機能はありません。名前を確認してください。",
    # 要注意
    r"who: give ref, or .*": (
        "検索結果、住民票コード、個人番号、又は氏名と生年月日のいずれかで対象者を指定してください。"
        "指定する欄がないときは、「二人で開く申請」から申請してください。"
    ),
    r"this is nobody, or not one person only": (
        "対象者が見つからないか、一人に決まりません。別の方法で指定してください。"
    ),
    r"this request was answered already": (
        "この申請は回答済みです。一覧で状態を確認してください。"
    ),
    r"agree at another terminal than the one this was asked from": (
        "申請した端末では承認できません。別の端末で承認してください。"
    ),
    r"a person must do this": "操作者がログインして操作してください。",
    r"this person is marked already; extend that mark": (
        "この者は既に要注意です。期間を変えるときは延長してください。"
    ),
    r"this person is not marked: .*": "この者は要注意ではありません。通常どおり操作してください。",
    r"until is earlier than it is now: .*": (
        "現在の期限より前にはできません。やめるときは解除を申請してください。"
    ),
    r"until must be a day from today on and within a year": (
        "期限は、本日から1年以内の日にしてください。"
    ),
    r"no mark of this number is in force": "この番号の有効な要注意はありません。",
    r"this was asked more than an hour ago: ask again": (
        "申請から1時間を過ぎています。もう一度申請してください。"
    ),
    r"a protected person: two persons open this together": "要注意: 二人で開いてください。",
    # what is asked for
    r"(?P<items>[a-z_]+): the check digit is wrong": (
        "{items}の検査数字が合いません。番号を確認してください。"
    ),
    r"(?P<items>[a-z_]+) holds nothing that can be searched for": (
        "{items}に、検索に使える文字がありません。"
    ),
    r"items: there are (?P<items>.*); something else is asked for": (
        "項目名が正しくありません。次から選んでください: {items}"
    ),
    r"by: give resident_code, or my_number, or four informations": (
        "住民票コード、個人番号又は4情報のいずれか一つで照会してください。"
    ),
    r"by: give name or kana, and birth_date, sex or address": (
        "氏名又はふりがなに、生年月日、性別又は住所を加えてください。"
    ),
    r"add birth_date, or municipality_code and town_code; kana needs 2 characters": (
        "生年月日、又は市町村と大字・字を追加してください。ふりがなは2文字以上必要です。"
    ),
    r"add birth_date, or municipality_code and town_code, or give the full name": (
        "生年月日、又は市町村と大字・字を追加するか、氏名の全部を入力してください。"
    ),
    r"add municipality_code, name or kana": "市町村、氏名又はふりがなを追加してください。",
    r"give a full name, full kana, a full address, or birth_date with another condition": (
        "氏名、ふりがな若しくは住所の全部、又は生年月日と他の条件を入力してください。"
    ),
    r"add the day of birth or the sex; this stands for too many dates": (
        "生年月日の日又は性別を追加してください。"
    ),
    r"give at least year and month of birth where unknown parts match": (
        "生年月日は、少なくとも年と月を入力してください。"
    ),
    r"more than (?P<what>[0-9]+) candidates; add a condition": (
        "候補者が{what}人を超えています。条件を追加してください。"
    ),
    r"more than (?P<what>[0-9]+) residents fit; add a condition": (
        "該当者が{what}人を超えています。条件を追加してください。"
    ),
    # what is not there, or not any more
    r"this reference is not known.*": "検索結果の有効時間が過ぎました。もう一度検索してください。",
    r"the record was changed in the meantime; read it again": (
        "その間に記録が更新されました。もう一度表示してください。"
    ),
    r"nobody has this resident_code": "この住民票コードの者はいません。",
    r"the ledger has no entry of this number": "この番号の操作履歴はありません。",
    # the rosters
    r"there is no such operator": "この操作者IDは登録されていません。",
    r"there is no such person": "この照合IDは付与されていません。",
    r"this person has no such device": "この人にその装置は登録されていません。",
    r"this device is retired already; .*": "この装置は既に廃止されています。",
    r"this person_id was given out before: .*": (
        "この照合IDは以前に付与されています。別のIDにするか、停止中の人を復帰させてください。"
    ),
    r"this person is suspended: .*": (
        "この人は停止されています。復帰させてください。登録コードも発行されます。"
    ),
    r"this person is suspended already; .*": "この人は既に停止されています。",
    r"this person is not suspended; .*": (
        "この人は停止されていません。装置の追加には登録コードを発行してください。"
    ),
    r"the term of this person is over: .*": (
        "この人の任期は終わっています。先に任期の末日を変更してください。"
    ),
    r"the term is over": "任期の末日が過ぎています。",
    r"the PIN cannot be issued": "暗証番号を発行できません。個々の理由を確認してください。",
    r"nobody appoints, suspends or resumes himself": (
        "本人に関する登録、停止又は復帰はできません。別のシステム管理者に依頼してください。"
    ),
    r"this operator_id was given out before: .*": (
        "この操作者IDは既に使われています。別のIDにするか、既存の登録を変更又は再開してください。"
    ),
    r"this (operator|terminal)_id is the appliance's own; .*": (
        "このIDはシステム自身のものです。別のIDにしてください。"
    ),
    r"say what changes: .*": "変更する項目を入力してください。",
    r"this operator is suspended already; .*": "この操作者は既に停止されています。",
    r"this operator is not suspended; .*": "この操作者IDは停止されていません。",
    r"the page is too large to be shown": (
        "結果が大きすぎて表示できません。条件を追加して絞り込んでください。"
    ),
    r"too many pages are kept now": (
        "現在、多くの端末で画面が開かれています。しばらくしてからもう一度操作してください。"
    ),
    r"too many rows for one paper": "1回に印刷できる行数を超えています。分けて印刷してください。",
    r"this appointment cannot be made": "この登録はできません。個々の理由を確認してください。",
    r"this certificate is registered, or was once: .*": (
        "この証明書は既に登録されたことがあります。新しい証明書を発行してください。"
    ),
    r"this terminal_id is registered: .*": (
        "この操作端末IDは登録済みです。先に失効させるか、別のIDにしてください。"
    ),
    r"no live terminal has this terminal_id": "この操作端末IDの有効な端末はありません。",
    r"certificate is of another authority: .*": (
        "この証明書は、このシステムが信頼する認証局のものではありません。"
    ),
    r"certificate is not in force": "この証明書は有効期間外です。",
    r"place is needed for kind .*": "端末の設置場所を入力してください。",
    r"certificate is of another terminal_id: .*": (
        "この証明書は、別の操作端末IDのものです。証明書と操作端末IDを確認してください。"
    ),
    r"no terminal has this terminal_id": "この操作端末IDの端末は登録されたことがありません。",
    r"office, hours and operations go with kinds where people sit only": (
        "所属、利用時間及び機能の制限は、代表端末又は業務端末だけに指定できます。"
    ),
    r"own_office_only needs office: .*": "端末の所属を入力してください。",
    r"operations: one is neither a function nor an operation of any role": (
        "制限する機能に、どの役割にもない機能があります。機能名を確認してください。"
    ),
    r"hours: .*": (
        "利用時間が正しくありません。終わりは始まりより後とし、例に倣ってください: 平日 08:30-17:15"
    ),
    r"this terminal is not used at this hour; again not within a year": (
        "この端末の利用時間外です。システム管理者に連絡してください。"
    ),
    r"this terminal is not used at this hour; again (?:from )?(?P<what>.+)": (
        "この端末の利用時間外です。次に利用できるのは{what}からです。"
    ),
    r"this terminal is not registered for (?P<what>[a-z/-]+)": (
        "この端末は、この機能({what})用に登録されていません。別の端末で操作してください。"
    ),
    r"this terminal is for operators of its own office only": (
        "この端末は、設置された所属の操作者だけが利用できます。"
    ),
    # what a form lacks
    r"(?P<place>[a-z0-9_.\[\]]+) must be a list of (?P<what>[0-9]+) or more": (
        "{place}を{what}件以上指定してください。"
    ),
    r"(?P<place>[a-z0-9_.\[\]]+) must be a list of (?P<what>[0-9]+) to (?P<most>[0-9]+)": (
        "{place}を{what}件以上{most}件以内で指定してください。"
    ),
    r"(?P<place>[a-z0-9_.\[\]]+) must be a list(?: of (?P<most>[0-9]+) or less)?": (
        "{place}の並びの形式又は件数が違います。確認してください。"
    ),
    r"(?P<place>[a-z0-9_.\[\]]+) must be one of (?P<choices>.+)": (
        "{place}は、次のいずれかを選んでください: {choices}"
    ),
    r"(?P<place>[a-z0-9_.\[\]]+) must be (?P<form>.+)": "{place}は、{form}で入力してください。",
    r"Object missing required field `(?P<place>[a-z0-9_]+)`(?: - at `[^`]+`)?": (
        "{place}が入力されていません。入力してください。"
    ),
    r"Object contains unknown field(?: - at `[^`]+`)?": (
        "この機能にない項目が含まれています。項目名を確認してください。"
    ),
    r"the arguments are not of the form they must have": (
        "入力内容の形式が違います。項目と値を確認してください。"
    ),
    r"X-(?:Purpose|Reason) is not of the form it must have": (
        "事務又は利用事由の指定が正しくありません。選び直してください。"
    ),
    r"X-Case is not of the form it must have": (
        "事案番号は、英数字と「._/-」で64文字以内としてください。"
    ),
    r"Idempotency-Key is not of the form it must have": (
        "要求番号(Idempotency-Key)は、英数字、「-」又は「_」の16文字以上64文字以内としてください。"
    ),
    r"send an Idempotency-Key: this operation changes data": (
        "この機能には要求番号(Idempotency-Key)が必要です。端末のソフトウェアを確認してください。"
    ),
    r"this Idempotency-Key was used for another request": (
        "この要求番号は別の要求に使用済みです。新しい番号で送信してください。"
    ),
    r"this request was carried out already \(ledger entry (?P<what>[0-9]+)\); .*": (
        "この要求は実行済みです(操作履歴{what})。再送せず、現在の状態を確認してください。"
    ),
    r"a client certificate is needed": "操作端末の証明書が必要です。接続の設定を確認してください。",
    r"there is (?:no such operation|nothing here)": (
        "その機能はありません。端末のソフトウェアの版を確認してください。"
    ),
    r"there is no such record": "該当する記録がありません。もう一度検索してください。",
    r"not carried out, nothing changed: \w+": (
        "現在実行できません。変更は行われていません。しばらくしてからもう一度操作してください。"
    ),
    r"the ledger takes no entry now; nothing is answered": (
        "操作履歴を記録できないため、実行できません。システム管理者に連絡してください。"
    ),
    # registers, jobs, the state of things
    r"the register has no entry of this number": (
        "この番号の登録はありません。番号を確認してください。"
    ),
    r"this record has as many versions as can be kept": (
        "この記録にはこれ以上履歴を保存できません。システム管理者に連絡してください。"
    ),
    r"the state of the machine is not known here": (
        "システムの状態を確認できません。サーバで juki status を実行して確認してください。"
    ),
    r"there is no such job; juki job list names them": (
        "この名前の自動処理はありません。一覧(job/list)で確認してください。"
    ),
    r"the job is running; juki job status tells how far it is": (
        "この自動処理は実行中です。進行状況を確認し、終わってから操作してください。"
    ),
    r"stored data is damaged; nothing of it is answered": (
        "保存されたデータに異常があります。操作をやめ、システム管理者に連絡してください。"
    ),
    # statistics
    r"the population of that month was not kept; without period it is today's": (
        "その年月の人口は保存されていません。年月を省略すると本日の人口になります。"
    ),
    # the national server
    r"by: give resident_code, or my_number, or four informations without kana": (
        "住民票コード、個人番号又は4情報(ふりがなを除く。)のいずれか一つで照会してください。"
    ),
    r"by: give name, and birth_date, sex or address": (
        "氏名に、生年月日、性別又は住所を加えてください。"
    ),
    r"nothing of what is asked for can be told by the national server": (
        "全国サーバから回答を得られるのは8項目だけです。項目を選び直してください。"
    ),
    r"too many inquiries wait for the national server; ask again": (
        "全国サーバへの照会が混み合っています。しばらくしてからもう一度操作してください。"
    ),
    r"the national server is under maintenance until (?P<what>\S+)": (
        "全国サーバは保守中です({what}まで)。終了後にもう一度操作してください。"
    ),
    r"no national server is configured": (
        "全国サーバの接続先が設定されていません。システム管理者に連絡してください。"
    ),
    r"reason and until are needed to switch maintenance on": (
        "保守の理由と終了日時を入力してください。"
    ),
    r"until is not acceptable": "保守の終了日時が正しくありません。個々の理由を確認してください。",
    r"no message of this case was refused": (
        "この事案に、全国サーバが受け付けなかった通知はありません。番号を確認してください。"
    ),
    r"the case is no longer open": "この事案は終了しています。状態を確認してください。",
    r"there is nobody with this resident_code here": (
        "この住民票コードの者は登録されていません。番号を確認してください。"
    ),
    r"this number of a notice was used for something else": (
        "この通報番号は、別の内容で受付済みです。番号を確認してください。"
    ),
    r"birth_date is not in the calendar": "暦にない生年月日です。日付を確認してください。",
    r"since is after until": "期間の始まりが終わりより後です。期間を確認してください。",
    # bulk provision, statements
    r"these rows are not there any more": (
        "この一括照会の結果は、保存期間が過ぎたため残っていません。もう一度申請してください。"
    ),
    r"the result was put out already": "結果を既に媒体に出力しているため、取り消せません。",
    r"this request of this office was taken already \(job (?P<what>[0-9]+)\)": (
        "この依頼番号は受付済みです(申請 {what})。依頼番号を確認してください。"
    ),
    r"this public key is registered already": (
        "この公開鍵は登録済みです。一覧を確認するか、別の鍵を作ってください。"
    ),
    r"there is no such purpose": "この事務は登録されていません。事務の選択を確認してください。",
    r"claimed goes with resident_code or my_number only": (
        "4情報の照合は、住民票コード又は個人番号を指定したときだけできます。"
    ),
    r"claimed: give at least one information": "照合する4情報を1つ以上入力してください。",
    # disclosure
    r"the (?:case|sheet) was changed in the meantime; .*": (
        "その間に事案が更新されました。もう一度操作してください。"
    ),
    r"an item is withheld here; a confirmation cannot be issued": (
        "表示を制限された項目があるため、この書面は発行できません。担当課に確認してください。"
    ),
    r"the font IPAmjMincho is missing; .*": (
        "書面用のフォント(IPAmj明朝)がありません。システム管理者に連絡してください。"
    ),
    r"the font lacks a character": (
        "書面用のフォントにない文字があります。個々の理由を確認してください。"
    ),
    r"against rule (?P<what>\S+)": (
        "規則({what})に合わないため、実行しませんでした。個々の理由を確認してください。"
    ),
    # machines
    r"a terminal cannot revoke itself; use another one": (
        "使用中の端末自身は失効させられません。別の端末で操作してください。"
    ),
    r"municipality_code goes with kind municipality only": (
        "市町村コードは、種別が市町村CSのときだけ指定してください。"
    ),
    r"there is no municipality of this code": (
        "この市町村コードの市町村はありません。コードを確認してください。"
    ),
    r"municipality_codes: one is not of this prefecture": (
        "市町村コードに、本県の市町村でないものがあります。コードを確認してください。"
    ),
    # the municipality's server
    r"what has not been sent cannot be acknowledged": (
        "まだ届いていない番号までは受領できません。番号を確認してください。"
    ),
    r"refused: names a message that is not acknowledged now": (
        "拒否した通知の番号が、今回受領する範囲にありません。番号を確認してください。"
    ),
    r"more than (?P<what>[0-9]+) refused messages are open; see to them first": (
        "未処理の拒否通知が{what}件を超えています。先に処理してください。"
    ),
    r"(?:a plugin withholds|items are withheld|an item is withheld).*": (
        "取扱いを制限された項目があるため、実行できません。都道府県の担当者に連絡してください。"
    ),
    r"this is not the inbox of your municipality": (
        "他の市町村あての通知は扱えません。市町村コードを確認してください。"
    ),
    r"no recovery is open for this municipality; ask the prefecture": (
        "この市町村の復旧は開始されていません。都道府県の担当者に依頼してください。"
    ),
    r"this terminal is not the CS of a municipality": (
        "この端末は市町村CSではありません。市町村CSから操作してください。"
    ),
    r"only a municipality's server compares": (
        "整合性確認は市町村CSだけが行えます。市町村CSから操作してください。"
    ),
    r"municipality_code: not a municipality of this certificate": (
        "この証明書では、その市町村を扱えません。市町村コードを確認してください。"
    ),
    r"records: municipality_code is not one of this certificate": (
        "送られた記録に、この証明書では扱えない市町村のものがあります。確認してください。"
    ),
    r"run: there is no such run of yours": (
        "この番号の整合性確認はありません。番号を確認してください。"
    ),
    r"run: it is over; begin another one": (
        "この整合性確認は終了しています。新たに開始してください。"
    ),
    r"run: another request went on with it meanwhile; send this one again": (
        "その間に整合性確認が先に進みました。もう一度送信してください。"
    ),
    r"the files differ, and nobody was found; go on with reconcile/digest": (
        "ファイルに差異がありますが、相違する者が特定されていません。確認を続けてください。"
    ),
    r"the witness takes part": (
        "立会者は、申請した者及び承認する者以外の職員でなければなりません。"
    ),
    r"more differences than a comparison is good for": (
        "相違が多すぎるため、整合性確認を続けられません。個々の理由を確認してください。"
    ),
    r"(?:roots|run|leaves|leaves\.marks|buckets, leaves|whole|whole\.\w+|records): .*": (
        "整合性確認の手順に合わない要求です。市町村CSのソフトウェアの保守担当に連絡してください。"
    ),
}
