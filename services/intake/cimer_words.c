/* Says in Turkish and English what keeps a file of applications from being taken. */
#include "cimer_words.h"

static const struct cimer_words table_words[TABLE_PROBLEMS] = {
	[TABLE_FINE] = { "", "" },
	[TABLE_UNREADABLE] = { "Dosya okunamadı.", "The file could not be read." },
	[TABLE_FILE_BYTES] = { "Dosya izin verilen boyuttan büyük.",
	    "The file is larger than is allowed." },
	[TABLE_EMPTY] = { "Dosya boş.", "The file is empty." },
	[TABLE_OLD_OR_LOCKED] = { "Eski biçimli (.xls) ya da parolalı bir çalışma kitabı. XLSX "
				  "olarak, parolasız kaydediniz.",
	    "A workbook of the old kind (.xls), or one with a password. Save it as XLSX without "
	    "one." },
	[TABLE_UTF16] = { "Dosya UTF-16 ile kaydedilmiş. “CSV UTF-8” ya da XLSX olarak kaydediniz.",
	    "The file was saved as UTF-16. Save it as “CSV UTF-8” or XLSX." },
	[TABLE_ENCODING] = { "Metin ne UTF-8 ne windows-1254; dosya bozulmuş ya da iki dosyadan "
			     "birleştirilmiş olabilir.",
	    "The text is neither UTF-8 nor windows-1254; the file may be damaged or put together "
	    "from two." },
	[TABLE_QUOTE_OPEN] = { "Açılan tırnak dosyanın sonuna kadar kapanmıyor.",
	    "A quote is opened and never closed." },
	[TABLE_QUOTE_INSIDE] = { "Tırnak işareti hücrenin ortasında; hücre tırnak içine alınıp "
				 "işaret iki kez yazılmalı.",
	    "A quote inside a cell; the cell must be quoted and the quote doubled." },
	[TABLE_ROW_BYTES] = { "Satır çok uzun.", "The row is too long." },
	[TABLE_COLUMNS] = { "Satırda çok fazla sütun var.", "The row has too many columns." },
	[TABLE_ZIP] = { "Çalışma kitabı bozuk ya da eksik kopyalanmış.",
	    "The workbook is damaged, or was not copied whole." },
	[TABLE_ZIP_PARTS] = { "Dosyada bir çalışma kitabında olmayacak kadar çok parça var.",
	    "The file has more parts than a workbook has." },
	[TABLE_ZIP_METHOD] = { "Çalışma kitabı şifreli ya da bilinmeyen bir yolla sıkıştırılmış.",
	    "The workbook is encrypted, or packed in an unknown way." },
	[TABLE_NO_WORKBOOK] = { "Dosya bir XLSX çalışma kitabı değil.",
	    "The file is no XLSX workbook." },
	[TABLE_UNPACKED] = { "Çalışma kitabı açıldığında izin verilenden büyük oluyor.",
	    "The workbook unpacks to more than is allowed." },
	[TABLE_STRINGS] = { "Çalışma kitabındaki metinler izin verilenden çok yer tutuyor.",
	    "The texts of the workbook take more room than is allowed." },
	[TABLE_XML] = { "Çalışma kitabının içi bozuk.", "The inside of the workbook is damaged." },
	[TABLE_ENTITIES] = { "Çalışma kitabında hiçbir programın yazmadığı tanımlar (DOCTYPE) var.",
	    "The workbook has definitions that no program writes (DOCTYPE)." },
	[TABLE_CELL_ERROR] = { "Bir hücrede formül hatası var (#BAŞV! gibi).",
	    "A cell holds the error of a formula (such as #REF!)." },
	[TABLE_MORE_SHEETS] = { "İlk sayfadan başka dolu sayfa da var; her sayfayı ayrı dosya "
				"olarak veriniz.",
	    "Another sheet beside the first is not empty; give each as a file of its own." },
};

static const struct cimer_words fault_words[CIMER_FAULTS] = {
	[CIMER_SOUND] = { "", "" },
	[CIMER_NO_HEADER] = { "Başlık satırı bulunamadı; bu sütun eksik (tanınan adlar cimer.csv "
			      "dosyasındadır).",
	    "No header was found; this column is missing (cimer.csv has the names that are "
	    "known)." },
	[CIMER_COLUMN_TWICE] = { "Bu alan için iki sütun var.", "Two columns are for this field." },
	[CIMER_NO_ROWS] = { "Başlığın altında başvuru yok.", "There is no application below the "
							     "header." },
	[CIMER_TOO_MANY_ROWS] = { "Dosyada izin verilenden çok satır var; bölerek veriniz.",
	    "The file has more rows than are allowed; give it in parts." },
	[CIMER_TOO_MUCH_TEXT] = { "Dosyadaki metinler izin verilenden uzun; bölerek veriniz.",
	    "The texts of the file are longer than is allowed; give it in parts." },
	[CIMER_NO_MEMORY] = { "Bellek yetmedi.", "Out of memory." },
};

static const struct cimer_words row_words[CIMER_ERRORS] = {
	[CIMER_OK] = { "", "" },
	[CIMER_MISSING] = { "Boş olamaz.", "Must not be empty." },
	[CIMER_TOO_LONG] = { "Çok uzun.", "Too long." },
	[CIMER_SHORTENED_NUMBER] = { "Tablolama programı numarayı kısaltmış (1,23E+11 gibi); "
				     "sütunu "
				     "metin olarak biçimlendirip yeniden dışa aktarınız.",
	    "The spreadsheet has shortened the number (as 1,23E+11); format the column as text and "
	    "export again." },
	[CIMER_BAD_DATE] = { "Tarih değil; 29.11.2026 ya da 29.11.2026 14:05 gibi olmalı.",
	    "Not a date; it should be like 29.11.2026 or 29.11.2026 14:05." },
	[CIMER_DATE_AHEAD] = { "Tarih ileride.", "The date lies ahead." },
	[CIMER_DATE_OLD] = { "Tarih 400 günden eski.", "The date is older than 400 days." },
	[CIMER_BAD_UNIT] = { "Birim kodu sekiz rakam olmalı.", "A unit code has eight digits." },
};

static const struct cimer_words field_words[CIMER_FIELDS] = {
	[CIMER_REFERENCE] = { "başvuru no", "reference" },
	[CIMER_DATE] = { "tarih", "date" },
	[CIMER_KIND] = { "tür", "kind" },
	[CIMER_UNIT] = { "birim kodu", "unit" },
	[CIMER_TEXT] = { "metin", "text" },
	[CIMER_NAME] = { "ad soyad", "name" },
	[CIMER_PHONE] = { "telefon", "phone" },
	[CIMER_EMAIL] = { "e-posta", "email" },
	[CIMER_ADDRESS] = { "adres", "address" },
	[CIMER_NEIGHBOURHOOD] = { "mahalle", "neighbourhood" },
};

struct cimer_words
cimer_words_of_table(enum table_problem problem)
{
	return table_words[problem];
}

struct cimer_words
cimer_words_of_crash(void)
{
	return (struct cimer_words){
		"Çalışma kitabı okunamadı; okuyan program sonuna gelemedi. Dosyayı tablolama "
		"programıyla açıp XLSX ya da “CSV UTF-8” olarak yeniden kaydediniz.",
		"The workbook could not be read to its end by the program that tried. Open it with "
		"a spreadsheet and save it again as XLSX or “CSV UTF-8”."
	};
}

struct cimer_words
cimer_words_of_fault(enum cimer_fault fault)
{
	return fault_words[fault];
}

struct cimer_words
cimer_words_of_row(enum cimer_error error)
{
	return row_words[error];
}

struct cimer_words
cimer_words_of_field(enum cimer_field field)
{
	return field_words[field];
}
