"""Given and family names from many places, for `scripts/sample.py`.

A name in another script carries its usual Latin spelling after `=`; `_` stands for a space. Women and men are told
apart only where their family names are.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class People:
    """Names that go together. `weight`: how common they are in a lecture hall."""

    language: str
    weight: int
    given: str
    family: str
    middle: str = ""


PEOPLE = (
    People(
        "English",
        22,
        "Olivia Emma Charlotte Amelia Grace Hannah Zoe Abigail Liam Noah James Henry Jack Samuel Owen Caleb Mary-Kate",
        "Smith Johnson Williams Brown Miller Davis Wilson Taylor Clark Walker Harris O'Connor Washington Fisher",
        "Lee Jordan Avery Quinn Blair Morgan",
    ),
    People(
        "French",
        6,
        "Chloé Zoé Inès Éloïse Anaïs Maëlle Noémie Hélène Gaël Théo Loïc Rémi Mathéo Étienne François Jean-Noël",
        "Lefèvre Gauthier Béranger Moreau Dupré Côté Lévesque Marchand Garçon Benoît D'Aubigné Fontaine L'Écuyer",
    ),
    People(
        "Spanish",
        9,
        "María Lucía Sofía Inés Begoña Concepción Ximena Rocío José Andrés Joaquín Íñigo Álvaro Ángel Raúl Tomás",
        "García_Márquez Núñez Peña Muñoz Ibáñez Rodríguez Gómez_Díaz Fernández Ordóñez Velázquez Cárdenas Zúñiga",
        "Guadalupe Trinidad Reyes",
    ),
    People(
        "Portuguese",
        4,
        "Conceição Inês Beatriz Mariana Letícia Júlia João Gonçalo Tomé Caio Luís Antônio Simão Otávio",
        "da_Conceição Guimarães Magalhães Araújo Simões Assunção Leitão Sá Brandão Gonçalves dos_Santos Falcão",
    ),
    People(
        "German",
        4,
        "Jürgen Björn Günther Jörg Sören Matthäus Lukas Käthe Bärbel Zoë Annelie Mareike Heike Friederike",
        "Müller Schröder Weiß Größmann Jäger König Köhler Böhm Strauß Vögele Schäfer Hübner von_Gölz",
    ),
    People(
        "Italian",
        3,
        "Nicolò Niccolò Giosuè Lorenzo Matteo Tobia Chiara Noemì Giorgia Ludovica Beatrice Ilaria",
        "D'Angelo Nicolò Rossi Cantù Forlì De_Luca Esposito Dell'Acqua Bianchi Ferrari Colonna Ricci",
    ),
    People(
        "Dutch",
        2,
        "Joris Daniël Sanne Fleur Loïs Noor Thijs Sjoerd Maaike Zoë Hidde",
        "van_der_Berg de_Vries van_'t_Hof Ligthart Bakker ten_Brink Jansen Groeneveld Uijtdewilligen Smeets",
    ),
    People(
        "Swedish",
        2,
        "Åsa Märta Göran Håkan Björn Östen Åke Linnéa Saga Elsa Nils Örjan",
        "Ångström Öberg Sjögren Lindström Bergström Hellström Ekström Åkesson Nyström Söderberg",
    ),
    People(
        "Danish and Norwegian",
        2,
        "Søren Øystein Bjørn Håvard Kåre Jørgen Åse Bjørg Solveig Maren Tiril Erlend",
        "Sørensen Østergaard Bjørnstad Kjær Nørgaard Ødegård Skjærgård Møller Håland Løvås",
    ),
    People(
        "Finnish",
        1,
        "Väinö Päivi Jyrki Aino Sisko Yrjö Eeva Mirja Ilmari",
        "Mäkinen Hämäläinen Heikkinen Järvinen Niemelä Lehtonen Pitkäjärvi Yli-Hietanen",
    ),
    People(
        "Icelandic (women)",
        1,
        "Þórunn Guðrún Sigríður Ásdís Ragnheiður Ólöf Hrafnhildur Eyrún",
        "Jónsdóttir Sigurðardóttir Þórsdóttir Guðmundsdóttir Ólafsdóttir Ægisdóttir",
    ),
    People(
        "Icelandic (men)",
        1,
        "Þór Guðmundur Sigurður Ásgeir Hörður Ólafur Ægir Jón",
        "Jónsson Sigurðsson Þórsson Guðmundsson Ólafsson Ægisson",
    ),
    People(
        "Irish",
        2,
        "Siobhán Niamh Róisín Gráinne Caoimhe Sinéad Pádraig Seán Tadhg Oisín Ciarán Dáithí",
        "Ó_Briain Ní_Dhomhnaill Mac_Cárthaigh Ó_Súilleabháin Breathnach Ó_Dálaigh Uí_Néill De_Búrca",
    ),
    People(
        "Polish (women)",
        2,
        "Małgorzata Zofia Agnieszka Żaneta Łucja Elżbieta Bożena Grażyna",
        "Wiśniewska Wójcik Dąbrowska Kozłowska Grzybowska Żółkiewska Pawłowska Król",
    ),
    People(
        "Polish (men)",
        2,
        "Paweł Michał Łukasz Stanisław Grzegorz Bartłomiej Wojciech Józef",
        "Wiśniewski Wójcik Dąbrowski Kozłowski Brzęczyszczykiewicz Żółkiewski Pawłowski Król",
    ),
    People(
        "Czech (women)",
        1,
        "Růžena Kateřina Tereza Běta Eliška Žofie Šárka Ludmila",
        "Dvořáková Nováková Černá Říhová Procházková Kučerová Šťastná Hůlková",
    ),
    People(
        "Czech (men)",
        1,
        "Jiří Tomáš Ondřej Zdeněk Matěj Čeněk Štěpán Bořivoj",
        "Dvořák Novák Černý Říha Procházka Kučera Šťastný Hůlka",
    ),
    People(
        "Hungarian",
        1,
        "Ágnes Zsófia Erzsébet Tünde Győző László Gergő Ödön Béla Zoltán",
        "Nagy Szabó Kovács Tóth Horváth Őszi Szűcs Erdős Csáky Pálffy",
    ),
    People(
        "Romanian",
        1,
        "Ștefan Mihăiță Ioana Brândușa Ancuța Andreea Cătălin Răzvan Mădălina Nicolae",
        "Popescu Ionescu Țepeș Bălănescu Ștefănescu Munteanu Brâncuși Țurcanu",
    ),
    People(
        "Turkish",
        3,
        "Cem Ayşe Gülşah Işıl Şebnem Çağla İrem Ömer Çağrı Oğuz İbrahim Yiğit Ümit Nazlı",
        "Yılmaz Öztürk Çelik Şahin Yıldırım Kılıç Güneş Demirağ Aydın Çoşkun",
    ),
    People(
        "Vietnamese",
        4,
        "Hương Ngọc Linh Phượng Thảo Mỹ Đức Dũng Quân Hiếu Tuấn Khánh",
        "Nguyễn Trần Lê Phạm Hoàng Đặng Bùi Đỗ Võ Huỳnh",
        "Minh Thanh Bảo An",
    ),
    People(
        "Yoruba and Igbo",
        3,
        "Ọláolú Adébáyọ̀ Fọláṣadé Títílayọ̀ Chinọnso Ọbinna Ṣadé Olúwaṣeun Ngozi Chukwuemeka Ifeọma Ayọ̀mídé",
        "Adéyẹmí Okonkwo Ọlátúnjí Ẹkwueme Adébáyọ̀ Nwọsu Ọbasanjọ Ṣóyínká Achebe Ọkafọr",
    ),
    People(
        "Swahili and Somali",
        2,
        "Amina Zawadi Neema Baraka Juma Wanjirũ Otieno Xaawo Cabdi Fartuun",
        "Mwangi Ochieng Kamau Wambũi Ng'ang'a Maxamed Cali Odhiambo Kĩariĩ",
    ),
    People(
        "Polynesian and Hawaiian",
        1,
        "Kaʻiulani Leilani Kekoa Nālani Māhina Tāne Hēmi Kahurangi",
        "Kamehameha Kealoha Māhoe Ngāta Te_Rangi Pōmare Kūkahiko",
    ),
    People(
        "Russian (women)",
        2,
        "Анастасия=Anastasia Екатерина=Ekaterina Юлия=Yulia Светлана=Svetlana Дарья=Daria Наталья=Natalia",
        "Иванова=Ivanova Смирнова=Smirnova Кузнецова=Kuznetsova Попова=Popova Щербакова=Shcherbakova",
        "Сергеевна=Sergeevna Ивановна=Ivanovna",
    ),
    People(
        "Russian (men)",
        2,
        "Дмитрий=Dmitry Алексей=Alexey Сергей=Sergey Юрий=Yuri Фёдор=Fyodor Евгений=Evgeny",
        "Иванов=Ivanov Смирнов=Smirnov Кузнецов=Kuznetsov Попов=Popov Щербаков=Shcherbakov",
        "Сергеевич=Sergeevich Иванович=Ivanovich",
    ),
    People(
        "Ukrainian",
        2,
        "Оксана=Oksana Ґалина=Galyna Софія=Sofiia Євгенія=Yevheniia Андрій=Andrii Юрій=Yurii Ігор=Ihor Олексій=Oleksii",
        "Шевченко=Shevchenko Коваленко=Kovalenko Бондаренко=Bondarenko Ткаченко=Tkachenko Їжакевич=Yizhakevych",
    ),
    People(
        "Serbian and Bulgarian",
        1,
        "Љубица=Ljubica Ђорђе=Djordje Јелена=Jelena Његош=Njegos Станимир=Stanimir Цветана=Tsvetana",
        "Петровић=Petrovic Јовановић=Jovanovic Ђурић=Djuric Димитров=Dimitrov Иванић=Ivanic",
    ),
    People(
        "Greek (women)",
        1,
        "Ελένη=Eleni Μαρία=Maria Αικατερίνη=Aikaterini Δήμητρα=Dimitra Χρυσούλα=Chrysoula",
        "Παπαδοπούλου=Papadopoulou Νικολαΐδου=Nikolaidou Γεωργίου=Georgiou Οικονόμου=Oikonomou",
    ),
    People(
        "Greek (men)",
        1,
        "Γιώργος=Giorgos Νίκος=Nikos Ηλίας=Ilias Θανάσης=Thanasis Ορφέας=Orfeas",
        "Παπαδόπουλος=Papadopoulos Νικολαΐδης=Nikolaidis Γεωργίου=Georgiou Οικονόμου=Oikonomou",
    ),
    People(
        "Arabic",
        4,
        "فاطمة=Fatima مريم=Maryam ليلى=Layla نور=Nour زينب=Zaynab محمد=Mohammed أحمد=Ahmad يوسف=Yusuf عمر=Omar",
        "العلي=Al-Ali الحسن=Al-Hassan المصري=Al-Masri خوري=Khoury الشامي=Al-Shami بن_سعيد=Ben_Said الزهراني=Al-Zahrani",
    ),
    People(
        "Persian",
        2,
        "زهرا=Zahra پریسا=Parisa شیرین=Shirin آرش=Arash بهرام=Bahram کیوان=Keyvan ژاله=Zhaleh",
        "محمدی=Mohammadi رضایی=Rezaei کریمی=Karimi حسینی=Hosseini تهرانی=Tehrani",
    ),
    People(
        "Hebrew",
        1,
        "נועה=Noa תמר=Tamar יעל=Yael שירה=Shira דוד=David איתי=Itai אורי=Uri יהונתן=Yehonatan",
        "כהן=Cohen לוי=Levi מזרחי=Mizrahi פרץ=Peretz ביטון=Biton אברהם=Avraham",
    ),
    People(
        "Armenian and Georgian",
        1,
        "Անահիտ=Anahit Արամ=Aram Նարեկ=Narek ნინო=Nino თამარ=Tamar გიორგი=Giorgi ლაშა=Lasha",
        "Հակոբյան=Hakobyan Սարգսյան=Sargsyan ბერიძე=Beridze კაპანაძე=Kapanadze",
    ),
    People(
        "Amharic",
        1,
        "ሰላም=Selam ትዕግስት=Tigist አበበ=Abebe ዳዊት=Dawit ሀና=Hana",
        "ተስፋዬ=Tesfaye ከበደ=Kebede ገብረ=Gebre ኃይሌ=Haile",
    ),
    People(
        "Hindi",
        4,
        "प्रिया=Priya अनन्या=Ananya दीपिका=Deepika काव्या=Kavya राहुल=Rahul अर्जुन=Arjun विक्रम=Vikram रोहित=Rohit",
        "शर्मा=Sharma वर्मा=Verma सिंह=Singh गुप्ता=Gupta अग्रवाल=Agarwal मिश्रा=Mishra",
    ),
    People(
        "Bengali and Tamil",
        2,
        "অনিতা=Anita সুমন=Suman রবি=Rabi மீனா=Meena கவிதா=Kavitha முருகன்=Murugan செல்வி=Selvi",
        "চট্টোপাধ্যায়=Chattopadhyay সেন=Sen দাস=Das சுப்பிரமணியன்=Subramanian கிருஷ்ணன்=Krishnan",
    ),
    People(
        "Thai",
        1,
        "สมชาย=Somchai อรุณี=Arunee กัญญา=Kanya ณัฐพล=Nattaphon ปรีชา=Preecha",
        "ศรีสุข=Srisuk ทองดี=Thongdee วงศ์สวัสดิ์=Wongsawat บุญมี=Boonmee",
    ),
    People(
        "Chinese",
        7,
        "伟=Wei 芳=Fang 秀英=Xiuying 娜=Na 强=Qiang 静怡=Jingyi 子涵=Zihan 浩然=Haoran 雨桐=Yutong 欣怡=Xinyi",
        "王=Wang 李=Li 张=Zhang 刘=Liu 陈=Chen 杨=Yang 黄=Huang 赵=Zhao 欧阳=Ouyang 吕=Lu",
    ),
    People(
        "Japanese",
        2,
        "さくら=Sakura 陽菜=Hina 美咲=Misaki 結衣=Yui 大翔=Hiroto 蓮=Ren 健太=Kenta 悠斗=Yuto",
        "佐藤=Sato 鈴木=Suzuki 高橋=Takahashi 田中=Tanaka 渡辺=Watanabe 伊藤=Ito 齋藤=Saito",
    ),
    People(
        "Korean",
        3,
        "서연=Seoyeon 민지=Minji 지우=Jiwoo 하은=Haeun 민준=Minjun 도윤=Doyun 현우=Hyunwoo 준서=Junseo",
        "김=Kim 이=Lee 박=Park 최=Choi 정=Jung 강=Kang 조=Cho 윤=Yoon",
    ),
)
